using Carrel.Contracts.Events;
using Carrel.Deskd.Settling;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>Whether the screen has come to rest after a change, by XDamage of the whole screen and the same rules as settling after an action.</summary>
internal sealed class SettledSource(DisplayLink link, EventHub hub, TimeProvider time) : DisplaySource(link, EventCatalogue.ScreenSettled)
{
    private const byte Create = 1;
    private const byte Destroy = 2;
    private const byte ReportRawRectangles = 0;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(EventCatalogue.SettledMilliseconds);
    private readonly Lock _gate = new();
    private BlinkFilter _blinks = new();
    private ITimer? _timer;
    private uint _damage;
    private byte _event;
    private long? _changingSince;
    private long _lastChange;

    protected override async Task AttachAsync(XDisplay display)
    {
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            (_damage, _event, _changingSince, _blinks) = (display.Connection.NewId(), display.Damage.FirstEvent, null, new BlinkFilter());
        }

        display.EventReceived += OnEvent;
        await display.Connection.AskAsync(XCore.Sync(new XBatch().Begin(display.Damage.Opcode, Create)
            .U32(_damage).U32(display.Root).U8(ReportRawRectangles).Zeros(3).End()));
    }

    protected override void Detach(XDisplay display)
    {
        display.EventReceived -= OnEvent;
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = null;
        }

        display.Connection.TrySend(new XBatch().Begin(display.Damage.Opcode, Destroy).U32(_damage).End());
    }

    private void OnEvent(XPacket packet)
    {
        if (packet.Code != _event || packet.U32(8) != _damage)
        {
            return;
        }

        lock (_gate)
        {
            var now = time.GetTimestamp();
            var damage = new Damage(packet.I16(16), packet.I16(18), packet.U16(20), packet.U16(22));
            if (_blinks.IsBlink(damage, time.GetElapsedTime(0, now)))
            {
                return;
            }

            _lastChange = now;
            if (_changingSince is null)
            {
                _changingSince = now;
                _timer?.Change(Quiet, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Runs at the earliest moment at which the screen may have come to rest.</summary>
    private void Look()
    {
        lock (_gate)
        {
            var quiet = time.GetElapsedTime(_lastChange);
            if (_timer is null || _changingSince is not { } since)
            {
                return;
            }

            if (quiet < Quiet)
            {
                _timer.Change(Quiet - quiet + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
                return;
            }

            _changingSince = null;
            hub.Publish(
                EventCatalogue.ScreenSettled, json => json.WriteNumber("changing_ms"u8, Math.Round(time.GetElapsedTime(since, _lastChange).TotalMilliseconds)));
        }
    }
}
