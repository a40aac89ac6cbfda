using System.Net.Sockets;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.X11;

/// <summary>Where X servers listen, and how to wait for one to appear.</summary>
internal static class XSocket
{
    private const string Folder = "/tmp/.X11-unix";
    private const uint IN_CREATE = 0x100;
    private const uint IN_MOVED_TO = 0x80;

    public static string Path(int display) => $"{Folder}/X{display}";

    /// <summary>The display number in <c>:99</c> or <c>:99.0</c>.</summary>
    public static int Number(string display)
    {
        var text = display.AsSpan(display.IndexOf(':', StringComparison.Ordinal) + 1);
        var dot = text.IndexOf('.');
        return int.TryParse(dot < 0 ? text : text[..dot], out var number)
            ? number
            : throw new FormatException($"DISPLAY={display} names no local display; expected a form like :99");
    }

    /// <summary>Connects, first waiting for the server if it does not run yet. Blocks its thread.</summary>
    public static XConnection OpenWhenThere(int display, Action<XPacket> onEvent)
    {
        if (!Directory.Exists(Folder))
        {
            // World-writable and sticky, as X servers want to find it.
            Directory.CreateDirectory(Folder, (UnixFileMode)0b1_111_111_111);
        }

        using var watch = Descriptor.Of(Libc.inotify_init1(Libc.O_CLOEXEC), "inotify");
        if (Libc.inotify_add_watch(watch.Fd, Folder, IN_CREATE | IN_MOVED_TO) < 0)
        {
            throw Errno.Failed($"watching {Folder}");
        }

        var refusals = 0;
        while (true)
        {
            try
            {
                return XConnection.Open(display, onEvent);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.ConnectionRefused or SocketError.SocketError)
            {
                // A socket file that refuses is either about to listen (bind comes a moment before listen, and nothing
                // tells of listen) or left over from a dead server, whose successor makes it anew.
                var aboutToListen = File.Exists(Path(display)) && refusals++ < 100;
                WaitForChange(watch, aboutToListen ? 2 : -1);
            }
            catch (XDisconnectedException)
            {
                WaitForChange(watch, 50);
            }
        }
    }

    private static unsafe void WaitForChange(Descriptor watch, int milliseconds)
    {
        var entry = new Libc.PollFd { Fd = watch.Fd, Events = Libc.POLLIN };
        if (Libc.poll(&entry, 1, milliseconds) > 0)
        {
            var events = stackalloc byte[4096];
            _ = Libc.read(watch.Fd, events, 4096);
        }
    }
}
