using Carrel.Deskd.X11;

namespace Carrel.Deskd.Input;

/// <summary>
/// The one mouse and keyboard. Actions take turns, so that two clients never weave their keystrokes into each other.
/// </summary>
internal sealed class InputDesk : IDisposable
{
    private static readonly TimeSpan QuietBeforeReturn = TimeSpan.FromSeconds(3);
    private readonly DisplayLink _link;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ITimer _return;
    private (InputDevice Device, Keyboard Keyboard)? _tools;

    public InputDesk(DisplayLink link, TimeProvider time)
    {
        (_link, _time) = (link, time);
        _return = time.CreateTimer(_ => _ = ReturnBorrowedAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Runs one action with the mouse and keyboard to itself.</summary>
    public async Task UseAsync(Func<InputDevice, Keyboard, Task> action, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var (device, keyboard) = Tools();
            await action(device, keyboard);
            if (keyboard.HasBorrowed)
            {
                _return.Change(QuietBeforeReturn, Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _return.Dispose();

    private (InputDevice Device, Keyboard Keyboard) Tools()
    {
        var display = _link.Current ?? throw new XDisconnectedException("there is no X server");
        if (_tools is not { } tools || tools.Device.Display != display)
        {
            var device = new InputDevice(display);
            _tools = tools = (device, new Keyboard(device, _time));
        }

        return tools;
    }

    private async Task ReturnBorrowedAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_tools is { } tools)
            {
                await tools.Keyboard.ReturnBorrowedAsync();
            }
        }
        catch (XDisconnectedException)
        {
            // The keys went with their server.
        }
        finally
        {
            _turn.Release();
        }
    }
}
