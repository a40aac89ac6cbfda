using System.Text;
using System.Text.Json;
using Carrel.Contracts.Events;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>Windows as the window manager lists them in the root window's properties (Extended Window Manager Hints).</summary>
internal sealed class WindowSource(DisplayLink link, EventHub hub)
    : DisplaySource(link, EventCatalogue.WindowFocus, EventCatalogue.WindowOpen, EventCatalogue.WindowClose)
{
    private const int MostTitleBytes = 4096;
    private Following? _following;

    protected override async Task AttachAsync(XDisplay display)
    {
        var atoms = await Task.WhenAll(
            display.Connection.AtomAsync("_NET_CLIENT_LIST"), display.Connection.AtomAsync("_NET_ACTIVE_WINDOW"),
            display.Connection.AtomAsync("_NET_WM_NAME"), display.Connection.AtomAsync("UTF8_STRING"));
        _following = new Following(display, hub, new Atoms(atoms[0], atoms[1], atoms[2], atoms[3]));
        await _following.StartAsync();
    }

    protected override void Detach(XDisplay display) => _following?.Dispose();

    private sealed record Atoms(uint ClientList, uint ActiveWindow, uint Name, uint Utf8String);

    private sealed class Following : IDisposable
    {
        private const uint WmName = 39;
        private readonly XDisplay _display;
        private readonly EventHub _hub;
        private readonly Atoms _atoms;
        private readonly OneAtATime _look;
        private uint[] _windows = [];
        private uint _active;

        public Following(XDisplay display, EventHub hub, Atoms atoms)
        {
            (_display, _hub, _atoms) = (display, hub, atoms);
            _look = new OneAtATime(LookAsync);
        }

        public async Task StartAsync()
        {
            _windows = await _display.Connection.PropertyAsync(_display.Root, _atoms.ClientList);
            _active = await ActiveAsync();
            _display.EventReceived += OnEvent;

            // What came between reading and listening.
            _look.Ask();
        }

        public void Dispose() => _display.EventReceived -= OnEvent;

        private void OnEvent(XPacket packet)
        {
            if (packet.Code == XCore.PropertyNotify && packet.U32(4) == _display.Root
                && (packet.U32(8) == _atoms.ClientList || packet.U32(8) == _atoms.ActiveWindow))
            {
                _look.Ask();
            }
        }

        private async Task LookAsync()
        {
            var before = _windows;
            var active = _active;
            _windows = await _display.Connection.PropertyAsync(_display.Root, _atoms.ClientList);

            // Some window managers name the new window as the active one before they list it; then the list brings the next look.
            var named = await ActiveAsync();
            _active = named == XCore.None || _windows.Contains(named) ? named : active;
            foreach (var window in before.Except(_windows))
            {
                _hub.Publish(EventCatalogue.WindowClose, json => WriteId(json, window));
            }

            foreach (var window in _windows.Except(before))
            {
                await PublishAsync(EventCatalogue.WindowOpen, window);
            }

            if (_active != active && _active != XCore.None)
            {
                await PublishAsync(EventCatalogue.WindowFocus, _active);
            }
        }

        private async Task PublishAsync(string type, uint window)
        {
            if (!_hub.IsWanted(type))
            {
                return;
            }

            var title = await TitleAsync(window);
            _hub.Publish(type, json =>
            {
                WriteId(json, window);
                json.WriteString("title"u8, title);
            });
        }

        private async Task<uint> ActiveAsync() =>
            await _display.Connection.PropertyAsync(_display.Root, _atoms.ActiveWindow) is [var window, ..] ? window : XCore.None;

        private async Task<string> TitleAsync(uint window)
        {
            try
            {
                var (type, bytes, _) = await _display.Connection.PropertyBytesAsync(window, _atoms.Name, MostTitleBytes);
                if (type == XCore.None)
                {
                    (type, bytes, _) = await _display.Connection.PropertyBytesAsync(window, WmName, MostTitleBytes);
                }

                return (type == XCore.StringAtom ? Encoding.Latin1 : Encoding.UTF8).GetString(bytes.Span);
            }
            catch (XRequestException)
            {
                // It is gone already; that comes next.
                return "";
            }
        }

        private static void WriteId(Utf8JsonWriter json, uint window) => json.WriteString("window_id"u8, $"0x{window:x}");
    }
}
