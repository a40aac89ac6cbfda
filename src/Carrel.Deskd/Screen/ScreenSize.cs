using System.Globalization;
using System.Text;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screen;

/// <summary>Changes the screen's size through RandR 1.4: one output, one CRTC, as Xvnc has them.</summary>
internal static class ScreenSize
{
    private const byte SetScreenSize = 7;
    private const byte GetScreenResources = 8;
    private const byte CreateMode = 16;
    private const byte AddOutputMode = 18;
    private const byte SetCrtcConfig = 21;
    private const ushort Rotate0 = 1;

    public static async Task SetAsync(XDisplay display, int width, int height)
    {
        var connection = display.Connection;
        var op = display.RandR.Opcode;
        var resources = Resources.Parse(await connection.AskAsync(
            new XBatch().Begin(op, GetScreenResources).U32(display.Root).End()));
        var mode = resources.FindMode(width, height) ?? await AddModeAsync(display, resources.Output, width, height);

        // A screen never may be smaller than what a CRTC shows of it, so the CRTC is off while the screen changes; and
        // nobody else sees the state between, because the server is ours alone for this moment.
        var batch = new XBatch().Begin(XCore.GrabServer).End();
        Crtc(batch, op, resources, mode: 0);
        batch.Begin(op, SetScreenSize).U32(display.Root).U16(width).U16(height).U32(Millimetres(width)).U32(Millimetres(height)).End();
        Crtc(batch, op, resources, mode);
        batch.Begin(XCore.UngrabServer).End();
        connection.Send(batch);
        await display.SyncAsync();
    }

    /// <summary>At 96 dots an inch, which is what everything on the desktop assumes.</summary>
    private static uint Millimetres(int pixels) => (uint)Math.Round(pixels * 25.4 / 96);

    private static void Crtc(XBatch batch, byte op, Resources resources, uint mode)
    {
        batch.Begin(op, SetCrtcConfig).U32(resources.Crtc).U32(0).U32(resources.ConfigTimestamp)
            .U16(0).U16(0).U32(mode).U16(Rotate0).U16(0);
        if (mode != 0)
        {
            batch.U32(resources.Output);
        }

        batch.End();
    }

    private static async Task<uint> AddModeAsync(XDisplay display, uint output, int width, int height)
    {
        var name = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{width}x{height}_carrel"));
        var clock = (uint)(width * height * 60);
        var reply = await display.Connection.AskAsync(new XBatch().Begin(display.RandR.Opcode, CreateMode).U32(display.Root)
            .U32(0).U16(width).U16(height).U32(clock)
            .U16(width).U16(width).U16(width).U16(0)
            .U16(height).U16(height).U16(height).U16(name.Length).U32(0)
            .Bytes(name).End());
        var mode = reply.U32(8);
        display.Connection.Send(new XBatch().Begin(display.RandR.Opcode, AddOutputMode).U32(output).U32(mode).End());
        return mode;
    }

    private sealed record Resources(uint ConfigTimestamp, uint Crtc, uint Output, (uint Id, int Width, int Height)[] Modes)
    {
        public static Resources Parse(XPacket reply)
        {
            var (crtcs, outputs, modes) = (reply.U16(16), reply.U16(18), reply.U16(20));
            var firstMode = 32 + ((crtcs + outputs) * 4);
            var parsed = Enumerable.Range(0, modes).Select(i => firstMode + (i * 32))
                .Select(at => (reply.U32(at), (int)reply.U16(at + 4), (int)reply.U16(at + 6)));
            return new Resources(reply.U32(12), reply.U32(32), reply.U32(32 + (crtcs * 4)), [.. parsed]);
        }

        public uint? FindMode(int width, int height) =>
            Array.Find(Modes, m => m.Width == width && m.Height == height) is { Id: > 0 } mode ? mode.Id : null;
    }
}
