using System.Text;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Tests.World;

/// <summary>What a window manager would say of windows: the two properties of the root window, and the windows' titles.</summary>
internal sealed class WindowList : IDisposable
{
    private readonly XConnection _connection;
    private readonly uint _list;
    private readonly uint _active;
    private readonly uint _name;
    private readonly uint _utf8;

    private WindowList(XConnection connection, uint[] atoms) =>
        (_connection, _list, _active, _name, _utf8) = (connection, atoms[0], atoms[1], atoms[2], atoms[3]);

    public static async Task<WindowList> OpenAsync(Desk desk)
    {
        var connection = XConnection.Open(desk.Display, _ => { });
        new Thread(() => connection.Pump()) { IsBackground = true }.Start();
        return new WindowList(connection, await Task.WhenAll(
            connection.AtomAsync("_NET_CLIENT_LIST"), connection.AtomAsync("_NET_ACTIVE_WINDOW"),
            connection.AtomAsync("_NET_WM_NAME"), connection.AtomAsync("UTF8_STRING")));
    }

    public uint NewWindow(string? title, string? oldTitle = null)
    {
        const uint wmName = 39;
        var window = _connection.CreateHiddenWindow(0);
        if (title is not null)
        {
            Property(window, _name, _utf8, 8, Encoding.UTF8.GetBytes(title));
        }

        if (oldTitle is not null)
        {
            Property(window, wmName, XCore.StringAtom, 8, Encoding.Latin1.GetBytes(oldTitle));
        }

        return window;
    }

    public void Show(params uint[] windows) => Property(_connection.Setup.Root, _list, 33, 32, [.. windows.SelectMany(BitConverter.GetBytes)]);

    public void Focus(uint window) => Property(_connection.Setup.Root, _active, 33, 32, BitConverter.GetBytes(window));

    public Task SyncAsync() => _connection.AskAsync(XCore.Sync(new XBatch()));

    public void Dispose() => _connection.Dispose();

    private void Property(uint window, uint property, uint type, byte format, byte[] bytes) => _connection.Send(
        new XBatch().Begin(XCore.ChangeProperty, 0).U32(window).U32(property).U32(type).U8(format).Zeros(3)
            .U32((uint)(bytes.Length * 8 / format)).Bytes(bytes).End());
}
