namespace Carrel.Deskd.Screen;

internal enum PictureFormat
{
    Png,
    Jpeg,
    Webp,
}

/// <summary>An encoded picture in memory of its own; whoever has it disposes it.</summary>
internal sealed unsafe class EncodedPicture(NativeBuffer buffer, int size, PictureFormat format, int width, int height) : IDisposable
{
    public PictureFormat Format => format;

    public int Width => width;

    public int Height => height;

    public int Size => size;

    public ReadOnlySpan<byte> Bytes => new(buffer.Pointer, size);

    public string MimeType => format switch
    {
        PictureFormat.Png => "image/png",
        PictureFormat.Jpeg => "image/jpeg",
        _ => "image/webp",
    };

    public string Name => format switch
    {
        PictureFormat.Png => "png",
        PictureFormat.Jpeg => "jpeg",
        _ => "webp",
    };

    public void Dispose() => buffer.Dispose();
}
