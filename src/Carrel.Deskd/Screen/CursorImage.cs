using System.Runtime.InteropServices;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screen;

/// <summary>The pointer's picture as XFixes gives it: premultiplied ARGB, with where its top left corner is on the screen.</summary>
internal sealed class CursorImage(int left, int top, int width, int height, uint[] pixels)
{
    public static async Task<CursorImage> QueryAsync(XDisplay display)
    {
        var reply = await display.Connection.AskAsync(new XBatch().Begin(display.Fixes.Opcode, 4).End());
        var width = reply.U16(12);
        var height = reply.U16(14);
        return new CursorImage(
            reply.I16(8) - reply.U16(16),
            reply.I16(10) - reply.U16(18),
            width,
            height,
            MemoryMarshal.Cast<byte, uint>(reply.Span[32..])[..(width * height)].ToArray());
    }

    public unsafe void BlendInto(Frame frame)
    {
        for (var y = Math.Max(0, -top); y < height && top + y < frame.Height; y++)
        {
            var row = (uint*)(frame.Pixels + ((top + y) * frame.Stride));
            for (var x = Math.Max(0, -left); x < width && left + x < frame.Width; x++)
            {
                row[left + x] = Over(pixels[(y * width) + x], row[left + x]);
            }
        }
    }

    /// <summary>Porter and Duff's "over" with a premultiplied source.</summary>
    private static uint Over(uint source, uint below)
    {
        var through = 255 - (source >> 24);
        uint Channel(int shift) => Math.Min(255, ((source >> shift) & 255) + ((((below >> shift) & 255) * through) + 127) / 255);
        return (Channel(16) << 16) | (Channel(8) << 8) | Channel(0);
    }
}
