using Carrel.Contracts.Events;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>The screen's size, of which the X server tells as it changes.</summary>
internal sealed class ScreenSource(DisplayLink link, EventHub hub) : DisplaySource(link, EventCatalogue.ScreenChange)
{
    private XDisplay? _display;
    private (int Width, int Height) _size;

    protected override Task AttachAsync(XDisplay display)
    {
        if (_display is not null && _size != display.Size)
        {
            // The X server came back with another size.
            Publish(display.Size);
        }

        (_display, _size) = (display, display.Size);
        display.EventReceived += OnEvent;
        return Task.CompletedTask;
    }

    protected override void Detach(XDisplay display)
    {
        display.EventReceived -= OnEvent;
        _display = null;
    }

    private void OnEvent(XPacket packet)
    {
        if (packet.Code == XCore.ConfigureNotify && _display is { } display && display.Size != _size)
        {
            _size = display.Size;
            Publish(_size);
        }
    }

    private void Publish((int Width, int Height) size) => hub.Publish(EventCatalogue.ScreenChange, json =>
    {
        json.WriteNumber("width"u8, size.Width);
        json.WriteNumber("height"u8, size.Height);
    });
}
