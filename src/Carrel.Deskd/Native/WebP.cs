using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>libwebp's encoder (ABI 0x020f, libwebp 1.2 to 1.5). The simple API offers no fast method, hence this one.</summary>
internal static unsafe partial class WebP
{
    private const string Library = "libwebp.so.7";
    private const int Abi = 0x020f;
    private const int PresetDefault = 0;

    [LibraryImport(Library)]
    private static partial int WebPConfigInitInternal(Config* config, int preset, float quality, int abi);

    [LibraryImport(Library)]
    private static partial int WebPPictureInitInternal(Picture* picture, int abi);

    [LibraryImport(Library)]
    public static partial int WebPPictureImportBGRX(Picture* picture, byte* pixels, int stride);

    [LibraryImport(Library)]
    public static partial int WebPEncode(Config* config, Picture* picture);

    [LibraryImport(Library)]
    public static partial void WebPPictureFree(Picture* picture);

    public static bool Initialize(Config* config, Picture* picture, float quality) =>
        WebPConfigInitInternal(config, PresetDefault, quality, Abi) != 0 && WebPPictureInitInternal(picture, Abi) != 0;

    /// <summary>WebPConfig: only its first fields are ours to set; the rest is what the library made of the preset.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 116)]
    public struct Config
    {
        public int Lossless;
        public float Quality;
        public int Method;
    }

    /// <summary>WebPPicture, by the offsets of the fields we use.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Picture
    {
        [FieldOffset(8)]
        public int Width;

        [FieldOffset(12)]
        public int Height;

        [FieldOffset(96)]
        public delegate* unmanaged[Cdecl]<byte*, nuint, Picture*, int> Writer;

        [FieldOffset(104)]
        public void* Custom;

        [FieldOffset(136)]
        public int ErrorCode;
    }
}
