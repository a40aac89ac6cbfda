using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>The sockets of a terminal and of the speaker, through the public port.</summary>
internal sealed class TerminalAndSound(Installation installation, int count, IProgress<string> progress)
{
    private const int Beeps = 20;
    private const int Loud = 3000;
    private readonly Api _api = installation.Api;

    /// <summary>A key typed at bash's prompt until its echo is back. The peer does the same over a pseudo-terminal of its own, without any network.</summary>
    internal async Task<IReadOnlyList<Row>> EchoAsync()
    {
        var computer = await _api.NewComputerAsync(more: new { cpu = 2 });
        using var terminal = await OpenAsync(computer, "terminal");
        await terminal.TypeAsync("PS1=; echo rea''dy\r");
        await terminal.UntilShownAsync("ready\r\n");
        var (ours, theirs) = (new List<double>(), new List<double>());
        for (var i = -20; i < Math.Max(count, 200); i++)
        {
            progress.Report($"terminal-echo {i + 1}");
            var took = await Measure.MillisecondsAsync(async () =>
            {
                await terminal.TypeAsync("x");
                await terminal.UntilShownAsync("x");
            });
            var peer = await PeerEchoAsync(computer);
            // A line of its own each time, so that it never wraps.
            await terminal.TypeAsync("\u0015echo ne''xt\r");
            await terminal.UntilShownAsync("next\r\n");
            terminal.Clear();
            if (i >= 0)
            {
                ours.Add(took);
                theirs.Add(peer);
            }
        }

        await terminal.CloseAsync();
        await _api.DeleteAsync(computer.Path);
        return [new Row("terminal-echo", "ms", ours, 5, theirs, "pty.fork by Python inside")];
    }

    /// <summary>
    /// From the moment a program inside hands the beginning of a tone to PulseAudio until the frame that holds it has arrived
    /// here. Both ends read CLOCK_MONOTONIC, of which the containers of a host have the same. The peer is parec inside, which
    /// hears the same tones.
    /// </summary>
    internal async Task<IReadOnlyList<Row>> LatencyAsync()
    {
        var computer = await _api.NewComputerAsync(more: new { cpu = 2 });
        using var listener = await OpenAsync(computer, "audio");
        await listener.NextAsync("started");
        var (ours, theirs) = (new List<double>(), new List<double>());
        while (ours.Count < count)
        {
            progress.Report($"audio-latency {ours.Count}/{count}");
            var playing = computer.DoAsync("exec", new { code = Player, timeout = 60 });
            var arrived = await ArrivalsAsync(listener, playing);
            var times = JsonNode.Parse((await playing)["output"]!.GetValue<string>())!;
            var (played, peer) = (Times("played"), Times("heard"));
            if (arrived.Count != Beeps || played.Count != Beeps || peer.Count != Beeps)
            {
                throw new UnexpectedAnswerException($"{played.Count} tones were played, {arrived.Count} arrived, parec heard {peer.Count}");
            }

            // The first finds both players cold.
            ours.AddRange(arrived.Zip(played, (a, p) => a - p).Skip(1));
            theirs.AddRange(peer.Zip(played, (a, p) => a - p).Skip(1));

            List<double> Times(string name) => [.. times[name]!.AsArray().Select(time => time!.GetValue<double>())];
        }

        await listener.CloseAsync();
        await _api.DeleteAsync(computer.Path);
        return [new Row("audio-latency", "ms", ours, 100, theirs, "parec inside", TargetPercentile: 95)];
    }

    /// <summary>Processor time that listening to silence for a second costs: the whole computer and the server, less what both use anyway.</summary>
    internal async Task<IReadOnlyList<Row>> SilenceAsync()
    {
        var computer = await _api.NewComputerAsync();
        await computer.DoAsync("wait", new { seconds = 5 });
        var (idle, listening) = (new List<double>(), new List<double>());
        for (var i = 0; i < count; i++)
        {
            progress.Report($"audio-silence {i + 1}/{count}");
            idle.Add(await UsedAsync(computer, () => Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System)));
            using var listener = await OpenAsync(computer, "audio");
            await listener.NextAsync("started");
            listening.Add(await UsedAsync(computer, async () =>
            {
                for (var bytes = 0; bytes < 48_000;)
                {
                    bytes += (await listener.ReceiveAsync())!.Value.Bytes.Length;
                }
            }));
            await listener.CloseAsync();
        }

        await _api.DeleteAsync(computer.Path);
        var usual = Row.Percentile(idle, 50);
        return [new Row("audio-silence-cpu", "ms", [.. listening.Select(used => used - usual)])];
    }

    private async Task<double> UsedAsync(Computer computer, Func<Task> meanwhile)
    {
        var before = ProcessorTime.OfMachine(computer.InstanceId) + ProcessorTime.OfProcess(installation.ServerPid);
        await meanwhile();
        return ProcessorTime.OfMachine(computer.InstanceId) + ProcessorTime.OfProcess(installation.ServerPid) - before;
    }

    private static async Task<List<double>> ArrivalsAsync(LiveSocket listener, Task playing)
    {
        var arrived = new List<double>();
        while (!playing.IsCompleted && await listener.ReceiveAsync() is { } message)
        {
            var now = System.Diagnostics.Stopwatch.GetTimestamp() * 1000.0 / System.Diagnostics.Stopwatch.Frequency;
            // A tone is over, and the next not yet played, within this time.
            if (Loudest(message.Bytes) >= Loud && (arrived.Count == 0 || now - arrived[^1] > 150))
            {
                arrived.Add(now);
            }
        }

        return arrived;
    }

    private static int Loudest(byte[] frame)
    {
        var loudest = 0;
        foreach (var sample in MemoryMarshal.Cast<byte, short>(frame))
        {
            loudest = Math.Max(loudest, Math.Abs((int)sample));
        }

        return loudest;
    }

    private static async Task<double> PeerEchoAsync(Computer computer)
    {
        const string code = """
            import os, pty, time
            pid, fd = pty.fork()
            if pid == 0:
                os.execvp("bash", ["bash", "--norc"])
            def until(mark):
                seen = b""
                while mark not in seen:
                    seen += os.read(fd, 65536)
            os.write(fd, b"PS1=; echo rea''dy\r")
            until(b"ready\r\n")
            for n in range(4):
                t = time.perf_counter()
                os.write(fd, b"x")
                until(b"x")
                took = time.perf_counter() - t
            print(took * 1000)
            os.close(fd)
            """;
        var answer = await computer.DoAsync("exec", new { code });
        return double.Parse(answer["output"]!.GetValue<string>(), CultureInfo.InvariantCulture);
    }

    private Task<LiveSocket> OpenAsync(Computer computer, string socket) =>
        LiveSocket.ConnectAsync(installation.Address, computer.InstanceId, socket, installation.Key);

    // Writes silence in pieces of 10 ms into a stream that holds 20 ms, and now and then 60 ms of a tone.
    private static readonly string Player = $$"""
        import array, ctypes, json, math, subprocess, threading, time
        def now(): return time.clock_gettime(time.CLOCK_MONOTONIC) * 1000
        heard, played = [], []
        parec = subprocess.Popen(["parec", "-d", "speaker.monitor", "--raw", "--format=s16le", "--rate=24000", "--channels=1", "--latency-msec=20"], stdout=subprocess.PIPE)
        def listen():
            while True:
                piece = parec.stdout.read1(65536)
                if not piece: return
                at = now()
                if max(map(abs, array.array("h", piece[:len(piece) // 2 * 2]))) >= {{Loud}} and (not heard or at - heard[-1] > 150): heard.append(at)
        threading.Thread(target=listen, daemon=True).start()
        class Spec(ctypes.Structure): _fields_ = [("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8)]
        class Attr(ctypes.Structure): _fields_ = [(n, ctypes.c_uint32) for n in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")]
        pulse = ctypes.CDLL("libpulse-simple.so.0")
        pulse.pa_simple_new.restype = ctypes.c_void_p
        most, error = 0xffffffff, ctypes.c_int()
        stream = ctypes.c_void_p(pulse.pa_simple_new(None, b"tones", 1, None, b"tones", ctypes.byref(Spec(3, 48000, 1)), None, ctypes.byref(Attr(most, 1920, most, most, most)), ctypes.byref(error)))
        silence = bytes(960)
        tone = array.array("h", [int(10000 * math.sin(2 * math.pi * 1000 * (n + 12) / 48000)) for n in range(480)]).tobytes()
        def write(piece): pulse.pa_simple_write(stream, piece, len(piece), None)
        for n in range(50): write(silence)
        for beep in range({{Beeps}}):
            played.append(now())
            for n in range(6): write(tone)
            for n in range(35 + beep * 7 % 10): write(silence)
        time.sleep(0.2)
        parec.kill()
        print(json.dumps({"played": played, "heard": heard}))
        """;
}
