using Carrel.Deskd.X11;

namespace Carrel.Deskd.Settling;

/// <summary>
/// Watches the whole screen through XDamage from its creation until it is disposed, and tells when the screen is quiet.
/// Exists only while somebody waits, so that a busy screen costs nothing otherwise.
/// </summary>
internal sealed class DamageWatch : IDisposable
{
    private const byte Create = 1;
    private const byte Destroy = 2;
    private const byte ReportRawRectangles = 0;

    private readonly XDisplay _display;
    private readonly SettleLimits _limits;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly uint _damage;
    private readonly Lock _gate = new();
    private SettleTracker _tracker;

    public DamageWatch(XDisplay display, SettleLimits limits, TimeProvider time)
    {
        (_display, _limits, _time, _started) = (display, limits, time, time.GetTimestamp());
        _tracker = new SettleTracker(limits, TimeSpan.Zero);
        _damage = display.Connection.NewId();
        display.EventReceived += OnEvent;
        display.Connection.Send(new XBatch().Begin(display.Damage.Opcode, Create)
            .U32(_damage).U32(display.Root).U8(ReportRawRectangles).Zeros(3).End());
    }

    /// <summary>Waits from now on until the screen is quiet, or for the longest time.</summary>
    public async Task<SettleReport> WaitAsync(CancellationToken cancellationToken)
    {
        // The server has reported all damage of what was done before once it answers this.
        await _display.SyncAsync();
        lock (_gate)
        {
            _tracker = new SettleTracker(_limits, _time.GetElapsedTime(_started));
        }

        while (true)
        {
            SettleReport? report;
            TimeSpan again;
            lock (_gate)
            {
                (report, again) = _tracker.Ask(_time.GetElapsedTime(_started));
            }

            if (report is { } settled)
            {
                return settled;
            }

            // Not polling: this is the earliest moment at which the answer can be yes.
            await Task.Delay(again + TimeSpan.FromMilliseconds(1), _time, cancellationToken);
        }
    }

    public void Dispose()
    {
        _display.EventReceived -= OnEvent;
        try
        {
            _display.Connection.Send(new XBatch().Begin(_display.Damage.Opcode, Destroy).U32(_damage).End());
        }
        catch (XDisconnectedException)
        {
            // It went with its server.
        }
    }

    private void OnEvent(XPacket packet)
    {
        if (packet.Code == _display.Damage.FirstEvent && packet.U32(8) == _damage)
        {
            lock (_gate)
            {
                _tracker.OnDamage(
                    new Damage(packet.I16(16), packet.I16(18), packet.U16(20), packet.U16(22)), _time.GetElapsedTime(_started));
            }
        }
    }
}
