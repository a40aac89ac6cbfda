using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>libjpeg-turbo's TurboJPEG API, version 2.</summary>
internal static unsafe partial class TurboJpeg
{
    private const string Library = "libturbojpeg.so.0";

    /// <summary>TJPF_BGRX: the byte order of an X server's 24-bit image on a little-endian machine.</summary>
    public const int PixelFormatBgrx = 3;

    /// <summary>TJSAMP_420.</summary>
    public const int Subsampling420 = 2;

    /// <summary>TJSAMP_444: keeps coloured text sharp at high quality.</summary>
    public const int Subsampling444 = 0;

    /// <summary>TJFLAG_NOREALLOC: the destination is ours and large enough (<see cref="tjBufSize"/>).</summary>
    public const int FlagNoRealloc = 1024;

    [LibraryImport(Library)]
    public static partial nint tjInitCompress();

    [LibraryImport(Library)]
    public static partial int tjDestroy(nint handle);

    [LibraryImport(Library)]
    public static partial nuint tjBufSize(int width, int height, int subsampling);

    [LibraryImport(Library)]
    public static partial nint tjGetErrorStr2(nint handle);

    [LibraryImport(Library)]
    public static partial int tjCompress2(
        nint handle, byte* source, int width, int pitch, int height, int pixelFormat,
        byte** destination, nuint* destinationSize, int subsampling, int quality, int flags);
}
