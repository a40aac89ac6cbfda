namespace Carrel.Deskd.Screen;

/// <summary>Turns what the server keeps into the one layout that the encoders read.</summary>
internal static unsafe class PixelFormats
{
    /// <summary>
    /// Expands 16-bit pixels (5 red, 6 green, 5 blue) to 4 bytes in place. The memory holds four bytes a pixel, of which the
    /// server filled the first half, so it runs from the end.
    /// </summary>
    public static void Expand565(byte* pixels, int count)
    {
        var source = (ushort*)pixels;
        var target = (uint*)pixels;
        for (var i = count - 1; i >= 0; i--)
        {
            uint value = source[i];
            var red = value >> 11;
            var green = (value >> 5) & 0x3f;
            var blue = value & 0x1f;
            target[i] = (((red << 3) | (red >> 2)) << 16) | (((green << 2) | (green >> 4)) << 8) | (blue << 3) | (blue >> 2);
        }
    }
}
