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
            catch (Exception e) when (e is SocketException or XDisconnectedException)
            {
                // Without a socket file there is one to wait for. A file that refuses belongs to a server that is about
                // to listen (bind comes a moment before listen, and nothing tells of listen), or to one that is dying or
                // dead, whose successor makes it anew.
                var again = !File.Exists(Path(display)) ? -1 : refusals++ < 100 ? 2 : 1000;
                WaitForChange(watch, again);
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
