using Carrel.Contracts.Deskd;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Readiness;

/// <summary>
/// Follows the desktop as it comes up, by its windows' events: the window manager announces itself, a panel (a dock)
/// appears, the desktop's window appears and is painted.
/// </summary>
internal sealed class DesktopWatch
{
    /// <summary>A desktop that stays of one colour this long is painted: somebody likes it plain.</summary>
    private static readonly TimeSpan PlainAfter = TimeSpan.FromSeconds(3);

    private readonly BootClock _clock;
    private readonly TimeProvider _time;
    private readonly double _deskdMs;
    private readonly TaskCompletionSource<ReadyReport> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _look = new(1);
    private double? _displayMs;
    private double? _managerMs;
    private double? _panelMs;
    private long? _desktopSince;
    private volatile bool _again;

    public DesktopWatch(DisplayLink link, BootClock clock, TimeProvider time)
    {
        (_clock, _time, _deskdMs) = (clock, time, clock.Milliseconds);
        link.Connected += OnConnected;
    }

    /// <summary>Completes when the desktop is there and painted.</summary>
    public Task<ReadyReport> Ready => _ready.Task;

    private void OnConnected(XDisplay display)
    {
        _displayMs ??= _clock.Milliseconds;
        if (_ready.Task.IsCompleted)
        {
            return;
        }

        _ = FollowAsync(display);
    }

    private async Task FollowAsync(XDisplay display)
    {
        try
        {
            var atoms = await DesktopAtoms.InternAsync(display.Connection);
            var damage = new PaintDamage(display);
            void OnEvent(XPacket packet)
            {
                // Our own subtracting is answered by the next damage only, so looking cannot feed itself.
                if (packet.Code is XCore.PropertyNotify or XCore.MapNotify or XCore.DestroyNotify || damage.Is(packet))
                {
                    _ = LookAsync(display, atoms, damage);
                }
            }

            display.EventReceived += OnEvent;
            await LookAsync(display, atoms, damage);
            await _ready.Task;
            display.EventReceived -= OnEvent;
            damage.Dispose();
        }
        catch (XDisconnectedException)
        {
            // The link connects again and then we follow the next display.
        }
    }

    /// <summary>Looks at the desktop; one look at a time, and one more if something happened meanwhile.</summary>
    private async Task LookAsync(XDisplay display, DesktopAtoms atoms, PaintDamage damage)
    {
        _again = true;
        if (!await _look.WaitAsync(0))
        {
            return;
        }

        try
        {
            while (_again && !_ready.Task.IsCompleted)
            {
                _again = false;
                await LookOnceAsync(display, atoms, damage);
            }
        }
        catch (XRequestException)
        {
            // A window went away between seeing and asking; its going is an event, which brings the next look.
        }
        catch (XDisconnectedException)
        {
            // See FollowAsync.
        }
        finally
        {
            _look.Release();
        }
    }

    private async Task LookOnceAsync(XDisplay display, DesktopAtoms atoms, PaintDamage damage)
    {
        var connection = display.Connection;
        if (_managerMs is null && (await connection.PropertyAsync(display.Root, atoms.SupportingWmCheck)).Length > 0)
        {
            _managerMs = _clock.Milliseconds;
        }

        uint? desktop = null;
        foreach (var window in await connection.PropertyAsync(display.Root, atoms.ClientList))
        {
            var types = await connection.PropertyAsync(window, atoms.WindowType);
            if (!types.Contains(atoms.Dock) && !types.Contains(atoms.Desktop))
            {
                continue;
            }

            connection.Send(new XBatch().Begin(XCore.ChangeWindowAttributes).U32(window)
                .U32(XCore.EventMaskAttribute).U32(XCore.StructureNotifyMask).End());
            if (!await IsViewableAsync(connection, window))
            {
                continue;
            }

            if (types.Contains(atoms.Dock))
            {
                _panelMs ??= _clock.Milliseconds;
            }
            else
            {
                desktop = window;
            }
        }

        if (desktop is { } shown && _panelMs is { } panel && _managerMs is { } manager)
        {
            await LookAtPaintAsync(display, atoms, damage, shown, manager, panel);
        }
    }

    private async Task LookAtPaintAsync(
        XDisplay display, DesktopAtoms atoms, PaintDamage damage, uint desktop, double manager, double panel)
    {
        if (_desktopSince is null)
        {
            _desktopSince = _time.GetTimestamp();
            _ = Task.Delay(PlainAfter, _time).ContinueWith(_ => LookAsync(display, atoms, damage), TaskScheduler.Default);
        }

        damage.Rearm(desktop);
        if (await PaintedPixels.AnyAsync(display) || _time.GetElapsedTime(_desktopSince.Value) >= PlainAfter)
        {
            _ready.TrySetResult(new ReadyReport(true, _deskdMs, _displayMs!.Value, manager, panel, _clock.Milliseconds));
        }
    }

    private static async Task<bool> IsViewableAsync(XConnection connection, uint window)
    {
        const byte viewable = 2;
        var attributes = await connection.AskAsync(new XBatch().Begin(XCore.GetWindowAttributes).U32(window).End());
        return attributes.U8(26) == viewable;
    }
}
