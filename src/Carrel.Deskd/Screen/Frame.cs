namespace Carrel.Deskd.Screen;

/// <summary>A captured picture: rows of 4 bytes a pixel (blue, green, red, unused). Dispose gives its memory back.</summary>
internal sealed unsafe class Frame(byte* pixels, int width, int height, IDisposable owner) : IDisposable
{
    public byte* Pixels => pixels;

    public int Width => width;

    public int Height => height;

    /// <summary>Bytes from one row to the next.</summary>
    public int Stride => width * 4;

    public void Dispose() => owner.Dispose();
}
