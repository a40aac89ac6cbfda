using Carrel.Deskd.X11;

namespace Carrel.Deskd.Readiness;

/// <summary>Tells once that the desktop's window was painted on, until it is armed again.</summary>
internal sealed class PaintDamage(XDisplay display) : IDisposable
{
    private const byte Create = 1;
    private const byte Destroy = 2;
    private const byte Subtract = 3;
    private const byte ReportNonEmpty = 3;
    private uint _damage;
    private uint _window;

    public bool Is(XPacket packet) => packet.Code == display.Damage.FirstEvent && packet.U32(8) == _damage && _damage != 0;

    public void Rearm(uint window)
    {
        var batch = new XBatch();
        if (window != _window)
        {
            Release(batch);
            (_window, _damage) = (window, display.Connection.NewId());
            batch.Begin(display.Damage.Opcode, Create).U32(_damage).U32(window).U8(ReportNonEmpty).Zeros(3).End();
        }
        else
        {
            batch.Begin(display.Damage.Opcode, Subtract).U32(_damage).U32(0).U32(0).End();
        }

        display.Connection.Send(batch);
    }

    public void Dispose()
    {
        var batch = new XBatch();
        Release(batch);
        display.Connection.Send(batch);
    }

    private void Release(XBatch batch)
    {
        if (_damage != 0)
        {
            batch.Begin(display.Damage.Opcode, Destroy).U32(_damage).End();
            _damage = 0;
        }
    }
}
