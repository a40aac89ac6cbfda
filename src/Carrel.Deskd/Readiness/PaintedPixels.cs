using System.Runtime.InteropServices;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Readiness;

/// <summary>Looks whether the screen shows more than one colour, on a few lines of its middle half, where panels seldom are.</summary>
internal static class PaintedPixels
{
    private const byte ZPixmap = 2;
    private const int Lines = 8;

    public static async Task<bool> AnyAsync(XDisplay display)
    {
        var (width, height) = display.Size;
        var asked = new List<Task<XPacket>>(Lines);
        for (var i = 0; i < Lines; i++)
        {
            var y = (height / 4) + (i * height / (2 * Lines));
            asked.Add(display.Connection.AskAsync(new XBatch().Begin(XCore.GetImage, ZPixmap).U32(display.Root)
                .U16(0).U16(y).U16(width).U16(1).U32(0xffffff).End()));
        }

        uint? colour = null;
        foreach (var line in await Task.WhenAll(asked))
        {
            foreach (var pixel in MemoryMarshal.Cast<byte, uint>(line.Span[32..]))
            {
                if (pixel != (colour ??= pixel))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
