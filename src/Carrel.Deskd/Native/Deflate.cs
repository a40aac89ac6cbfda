using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>libdeflate: zlib streams about three times as fast as zlib makes them.</summary>
internal static unsafe partial class Deflate
{
    private const string Library = "libdeflate.so.0";

    [LibraryImport(Library)]
    public static partial nint libdeflate_alloc_compressor(int level);

    [LibraryImport(Library)]
    public static partial void libdeflate_free_compressor(nint compressor);

    [LibraryImport(Library)]
    public static partial nuint libdeflate_zlib_compress(nint compressor, byte* input, nuint inputSize, byte* output, nuint outputSize);

    [LibraryImport(Library)]
    public static partial nuint libdeflate_zlib_compress_bound(nint compressor, nuint inputSize);

    [LibraryImport(Library)]
    public static partial uint libdeflate_crc32(uint crc, byte* buffer, nuint size);
}
