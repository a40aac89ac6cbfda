using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>A source that listens to the X server, and to its successor when the server goes away.</summary>
internal abstract class DisplaySource(DisplayLink link, params IReadOnlyList<string> types) : EventSource(types)
{
    private readonly SemaphoreSlim _turn = new(1);
    private XDisplay? _display;
    private bool _runs;

    public override async Task StartAsync()
    {
        _runs = true;
        link.Connected += OnConnected;
        if (link.Current is { } display)
        {
            await AttachOnceAsync(display);
        }
    }

    public override async Task StopAsync()
    {
        link.Connected -= OnConnected;
        await _turn.WaitAsync();
        try
        {
            _runs = false;
            if (_display is { } display)
            {
                Detach(display);
                _display = null;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Listens to a display; what happens after it has returned is told.</summary>
    protected abstract Task AttachAsync(XDisplay display);

    /// <summary>Stops listening to a display, which may be gone.</summary>
    protected abstract void Detach(XDisplay display);

    private void OnConnected(XDisplay display) => _ = AttachOnceAsync(display);

    private async Task AttachOnceAsync(XDisplay display)
    {
        await _turn.WaitAsync();
        try
        {
            if (_runs && _display != display)
            {
                _display = display;
                await AttachAsync(display);
            }
        }
        catch (XDisconnectedException)
        {
            // The link connects again, and then we listen to the next display.
        }
        finally
        {
            _turn.Release();
        }
    }
}
