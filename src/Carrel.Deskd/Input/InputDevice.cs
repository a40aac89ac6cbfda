using Carrel.Deskd.X11;

namespace Carrel.Deskd.Input;

/// <summary>Writes XTEST events: what a mouse and a keyboard would send.</summary>
internal sealed class InputDevice(XDisplay display)
{
    private const byte FakeInput = 2;
    private const byte KeyPress = 2;
    private const byte KeyRelease = 3;
    private const byte ButtonPress = 4;
    private const byte ButtonRelease = 5;
    private const byte Motion = 6;

    public XDisplay Display => display;

    public void Move(XBatch batch, int x, int y) => Fake(batch, Motion, 0, x, y);

    public void Button(XBatch batch, byte button, bool down) => Fake(batch, down ? ButtonPress : ButtonRelease, button);

    public void Click(XBatch batch, byte button)
    {
        Button(batch, button, down: true);
        Button(batch, button, down: false);
    }

    public void Key(XBatch batch, byte keycode, bool down) => Fake(batch, down ? KeyPress : KeyRelease, keycode);

    /// <summary>Sends what was written and waits until the server has done it.</summary>
    public Task SendAsync(XBatch batch) => display.Connection.AskAsync(XCore.Sync(batch));

    private void Fake(XBatch batch, byte type, byte detail, int x = 0, int y = 0) =>
        batch.Begin(display.Test.Opcode, FakeInput).U8(type).U8(detail).U16(0).U32(0)
            .U32(type == Motion ? display.Root : 0).Zeros(8).U16(x).U16(y).Zeros(7).U8(0).End();
}
