using System.Diagnostics;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>
/// What a browser sees of a window that scrolls all the time: updates over the VNC WebSocket, one asked for as soon as the last
/// has come, counted second by second, with the processor time of the whole computer and the server in the same seconds.
/// </summary>
internal static class VncFrames
{
    /// <summary>
    /// A window of the whole screen that moves up by a line of text sixty times a second, as a browser's or an editor's does. Xlib by
    /// hand: a terminal that is flooded paints when it finds the time, and would be what is measured.
    /// </summary>
    private const string Scroller = """
        import ctypes, random, string, time
        x = ctypes.CDLL('libX11.so.6')
        x.XOpenDisplay.restype = x.XCreateGC.restype = ctypes.c_void_p
        display = ctypes.c_void_p(x.XOpenDisplay(b':99'))
        width, height, line = 1280, 680, 14
        window = ctypes.c_ulong(x.XCreateSimpleWindow(display, ctypes.c_ulong(x.XDefaultRootWindow(display)), 0, 20, width, height, 0, 0, 0xffffff))
        x.XStoreName(display, window, b'scroll')
        x.XMapWindow(display, window)
        gc = ctypes.c_void_p(x.XCreateGC(display, window, ctypes.c_ulong(0), None))
        x.XSync(display, 0)
        due = time.monotonic()
        while True:
            text = ''.join(random.choice(string.printable[:95]) for _ in range(200)).encode()
            x.XCopyArea(display, window, window, gc, 0, line, width, height - line, 0, 0)
            x.XSetForeground(display, gc, ctypes.c_ulong(0xffffff))
            x.XFillRectangle(display, window, gc, 0, height - line, width, line)
            x.XSetForeground(display, gc, ctypes.c_ulong(random.randrange(0x7f7f7f)))
            x.XDrawString(display, window, gc, 4, height - 3, text, len(text))
            x.XFlush(display)
            due += 1 / 60
            time.sleep(max(0, due - time.monotonic()))
        """;

    internal static async Task<IReadOnlyList<Row>> MeasureAsync(Installation installation, int count, IProgress<string> progress)
    {
        var computer = await installation.Api.NewComputerAsync(more: new { cpu = 2, resolution = "1280x720x24" });
        await computer.BashAsync($"""
            cat > /root/scroll.py <<'END'
            {Scroller}
            END
            (setsid python3 /root/scroll.py > /root/scroll.log 2>&1 &)
            for i in $(seq 100); do DISPLAY=:99 xdotool search --onlyvisible --name '^scroll$' && exit 0; sleep 0.1; done; cat /root/scroll.log; exit 1
            """);
        var password = computer.Created["vnc_password"]!.GetValue<string>();
        await using var client = await RfbClient.ConnectAsync(installation.Address, computer.InstanceId, password, password, compressed: true);
        await client.RequestAsync(incremental: false);
        await client.ReadUpdateAsync();
        var (interval, cpu) = (new List<double>(), new List<double>());
        for (var second = -3; second < count; second++)
        {
            progress.Report($"vnc-frames {second + 1}/{count}");
            var before = CpuTime.OfMachineAnd(computer.InstanceId, installation.ServerPid);
            var started = Stopwatch.GetTimestamp();
            var frames = 0;
            do
            {
                await client.RequestAsync(incremental: true);
                await client.ReadUpdateAsync();
                frames++;
            }
            while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1));

            var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (second >= 0)
            {
                interval.Add(took * 1000 / frames);
                cpu.Add((CpuTime.OfMachineAnd(computer.InstanceId, installation.ServerPid) - before) / took * 100);
            }
        }

        await installation.Api.DeleteAsync(computer.Path);
        return [new Row("vnc-frames", "ms/frame", interval, 1000 / 30.0), new Row("vnc-frames-cpu", "% of a core", cpu, 100)];
    }
}
