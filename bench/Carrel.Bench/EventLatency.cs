using System.Globalization;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>
/// From the moment a program maps a window to the frame at a client of the public socket. The window's title is the program's
/// clock at that moment, which is the host's clock, too.
/// </summary>
internal static class EventLatency
{
    /// <summary>Maps a window, keeps it a moment, closes it; as often as its argument says. Xlib by hand, as there is no toolkit that maps when told.</summary>
    private const string MapWindows = """
        import ctypes, sys, time
        x = ctypes.CDLL('libX11.so.6')
        x.XOpenDisplay.restype = ctypes.c_void_p
        display = ctypes.c_void_p(x.XOpenDisplay(b':99'))
        root = ctypes.c_ulong(x.XDefaultRootWindow(display))
        for _ in range(int(sys.argv[1])):
            window = ctypes.c_ulong(x.XCreateSimpleWindow(display, root, 100, 100, 300, 200, 0, 0, 0xffffff))
            x.XSync(display, 0)
            x.XStoreName(display, window, str(time.time_ns()).encode())
            x.XMapWindow(display, window)
            x.XFlush(display)
            time.sleep(0.3)
            x.XDestroyWindow(display, window)
            x.XFlush(display)
            time.sleep(0.1)
        """;

    internal static async Task<IReadOnlyList<Row>> MeasureAsync(Installation installation, int count)
    {
        const int warmUp = 3;
        var computer = await installation.Api.NewComputerAsync(more: new { cpu = 2 });
        using var socket = await EventSocket.SubscribedAsync(installation, computer, "window_open");
        await computer.BashAsync($"cat > /root/map.py <<'END'\n{MapWindows}\nEND\n(setsid python3 /root/map.py {count + warmUp} >/root/map.log 2>&1 &)");
        var samples = new List<double>();
        for (var i = -warmUp; i < count; i++)
        {
            var mapped = 0L;
            await socket.EventAsync(
                "window_open", data => long.TryParse(EventSocket.Text(data, "title"), NumberStyles.None, CultureInfo.InvariantCulture, out mapped));
            var now = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
            if (i >= 0)
            {
                samples.Add((now - mapped) / 1e6);
            }
        }

        await installation.Api.DeleteAsync(computer.Path);
        return [new Row("event-latency", "ms", samples, 50, TargetPercentile: 95)];
    }
}
