using System.Net;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>The rows of the figures we hold ourselves to that exist by now.</summary>
internal sealed class Benchmarks(Installation installation, int count, IProgress<string> progress)
{
    private readonly Api _api = installation.Api;

    internal IReadOnlyDictionary<string, Func<Task<IReadOnlyList<Row>>>> All => new Dictionary<string, Func<Task<IReadOnlyList<Row>>>>
    {
        ["cold-create"] = ColdCreateAsync,
        ["screenshot"] = ScreenshotAsync,
        ["input"] = InputAsync,
        ["bash"] = BashAsync,
        ["resize"] = new Sizes(installation, count, progress).ResizeAsync,
        ["suspend-resume"] = new Sizes(installation, count, progress).SuspendAsync,
        ["file-transfer"] = new Files(installation, count, progress).TransfersAsync,
        ["terminal-echo"] = new TerminalAndSound(installation, count, progress).EchoAsync,
        ["audio-latency"] = new TerminalAndSound(installation, count, progress).LatencyAsync,
        ["audio-silence-cpu"] = new TerminalAndSound(installation, count, progress).SilenceAsync,
        ["event-latency"] = () => EventLatency.MeasureAsync(installation, count),
        ["idle-memory"] = IdleMemoryAsync,
        ["rest"] = new AtRest(installation, count, progress).MeasureAsync,
        ["recording"] = RecordingAsync,
        ["clone"] = new Copies(installation, count, progress).ClonesAsync,
        ["clone-dirty"] = new Copies(installation, count, progress).DirtyClonesAsync,
        ["snapshot"] = new Copies(installation, count, progress).SnapshotsAsync,
        ["stop-start-hashes"] = new Copies(installation, count, progress).StopStartAsync,
        ["leaks"] = LeaksAsync,
        ["vnc-frames"] = () => VncFrames.MeasureAsync(installation, count, progress),
        ["sockets"] = new SocketsBench(installation, 50, TimeSpan.FromMinutes(10), progress).RunAsync,
    };

    /// <summary>From the call to an answer that says running, which is given when deskd is healthy and the desktop painted.</summary>
    private async Task<IReadOnlyList<Row>> ColdCreateAsync()
    {
        var workspace = await _api.NewWorkspaceAsync();
        var (create, delete) = (new List<double>(), new List<double>());
        for (var i = -3; i < count; i++)
        {
            progress.Report($"cold-create {i + 1}/{count}");
            Computer? computer = null;
            var took = await Measure.MillisecondsAsync(async () => computer = await _api.NewComputerAsync(workspace, $"c{i + 3}"));
            var removed = await Measure.MillisecondsAsync(() => _api.DeleteAsync(computer!.Path));
            if (i >= 0)
            {
                create.Add(took);
                delete.Add(removed);
            }
        }

        return [new Row("cold-create", "ms", create, 500), new Row("delete", "ms", delete)];
    }

    private async Task<IReadOnlyList<Row>> ScreenshotAsync()
    {
        var computer = await BusyComputerAsync();
        var peers = new Peers(computer);
        var (png, jpeg, peer) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = -5; i < count; i++)
        {
            progress.Report($"screenshot {i + 1}/{count}");
            var a = await Measure.MillisecondsAsync(() => _api.BytesAsync($"{computer.Path}/screenshot?response_format=binary&format=png"));
            var b = await peers.ScreenshotAsync();
            var c = await Measure.MillisecondsAsync(() => _api.BytesAsync($"{computer.Path}/screenshot?response_format=binary&format=jpeg"));
            if (i >= 0)
            {
                png.Add(a);
                peer.Add(b);
                jpeg.Add(c);
            }
        }

        await _api.DeleteAsync(computer.Path);
        return [new Row("screenshot-png", "ms", png, 25, peer, Peers.Screenshot), new Row("screenshot-jpeg", "ms", jpeg, null, peer, Peers.Screenshot)];
    }

    private async Task<IReadOnlyList<Row>> InputAsync()
    {
        var computer = await _api.NewComputerAsync(more: new { cpu = 2 });
        var peers = new Peers(computer);
        var rows = new List<Row>
        {
            await PairedAsync("click", 4, () => computer.DoAsync("click", new { x = 640, y = 300 }), () => peers.ClickAsync(640, 300), Peers.Click),
            await PairedAsync("mouse-move", 4, () => computer.DoAsync("mouse-move", new { x = 500, y = 300 }), null, null),
            await PairedAsync("key", 4, () => computer.DoAsync("key", new { key = "shift" }), peers.KeyAsync, Peers.Click),
        };
        await _api.DeleteAsync(computer.Path);
        return rows;
    }

    private async Task<IReadOnlyList<Row>> BashAsync()
    {
        var computer = await _api.NewComputerAsync(more: new { cpu = 2 });
        var peers = new Peers(computer);
        var row = await PairedAsync("bash-true", 12, () => computer.DoAsync("bash", new { command = "true" }), peers.ShellAsync, Peers.Shell);
        await _api.DeleteAsync(computer.Path);
        return [row];
    }

    /// <summary>Proportional set size of all processes of one desktop that nobody uses, with no other computer to share pages with.</summary>
    private async Task<IReadOnlyList<Row>> IdleMemoryAsync()
    {
        var samples = new List<double>();
        for (var i = 0; i < count; i++)
        {
            progress.Report($"idle-memory {i + 1}/{count}");
            var computer = await _api.NewComputerAsync();
            await computer.DoAsync("wait", new { seconds = 3 });
            samples.Add(ProportionalSetSize.OfMachine(computer.InstanceId) / 1048576.0);
            await _api.DeleteAsync(computer.Path);
        }

        return [new Row("idle-memory", "MiB", samples, 180)];
    }

    /// <summary>What recording costs: ffmpeg's CPU time in each second, in percent of one core, and a click beside it.</summary>
    private async Task<IReadOnlyList<Row>> RecordingAsync()
    {
        var rows = new List<Row>();
        var computer = await BusyComputerAsync();
        foreach (var fps in new[] { 15, 30 })
        {
            var started = Api.Expect(await _api.PostAsync($"{computer.Path}/recordings", new { fps }), HttpStatusCode.Created);
            var (cpu, click) = (new List<double>(), new List<double>());
            for (var i = 0; i < count; i++)
            {
                progress.Report($"recording-{fps} {i + 1}/{count}");
                // Ticks of 10 ms, so the difference over a second is the percentage.
                var ticks = await computer.BashAsync("""
                    ticks() { awk '{ print $14 + $15 }' /proc/$(pgrep -ox ffmpeg)/stat; }; a=$(ticks) t=$(date +%s%N); sleep 1; b=$(ticks) u=$(date +%s%N); echo $(((b - a) * 1000000000 / (u - t)))
                    """);
                cpu.Add(double.Parse(ticks, System.Globalization.CultureInfo.InvariantCulture));
                click.Add(await Measure.MillisecondsAsync(() => computer.DoAsync("click", new { x = 640, y = 300 })));
            }

            rows.Add(new Row($"recording-{fps}-cpu", "percent", cpu));
            rows.Add(new Row($"recording-{fps}-click", "ms", click, 4));
            Api.Expect(await _api.PostAsync($"{computer.Path}/recordings/{started.Text("id")}/stop"), HttpStatusCode.OK);
        }

        await _api.DeleteAsync(computer.Path);
        return rows;
    }

    /// <summary>What is on the host after many creates and deletes that was not there before.</summary>
    private async Task<IReadOnlyList<Row>> LeaksAsync()
    {
        var workspace = await _api.NewWorkspaceAsync();
        // The first computer makes what an installation has once.
        await _api.DeleteAsync((await _api.NewComputerAsync(workspace, "first")).Path);
        var before = await HostCounts.NowAsync(installation);
        var cycles = Math.Max(count, 1000);
        var width = Environment.ProcessorCount;
        for (var done = 0; done < cycles; done += width)
        {
            progress.Report($"leaks {done}/{cycles}");
            await Task.WhenAll(Enumerable.Range(done, width).Select(async number =>
            {
                var computer = await _api.NewComputerAsync(workspace, $"leak{number}");
                Api.Expect(await _api.DeleteAsync(computer.Path), HttpStatusCode.OK);
            }));
        }

        var after = await HostCounts.SettledAsync(installation, before);
        return [.. before.Select(kind => new Row($"leaked-{kind.Key}", "count", [after[kind.Key] - kind.Value], 0))];
    }

    private async Task<Row> PairedAsync(string name, double? target, Func<Task> ours, Func<Task<double>>? theirs, string? peer)
    {
        var (samples, others) = (new List<double>(), new List<double>());
        for (var i = -20; i < count; i++)
        {
            progress.Report($"{name} {i + 1}/{count}");
            var taken = await Measure.MillisecondsAsync(ours);
            var other = theirs is null ? 0 : await theirs();
            if (i >= 0)
            {
                samples.Add(taken);
                others.Add(other);
            }
        }

        return new Row(name, "ms", samples, target, theirs is null ? null : others, peer);
    }

    /// <summary>Windows full of text, one of which keeps changing.</summary>
    private async Task<Computer> BusyComputerAsync()
    {
        var computer = await _api.NewComputerAsync(more: new { cpu = 2 });
        await computer.BashAsync("""
            export DISPLAY=:99
            (setsid thunar /usr/bin > /dev/null 2>&1 &)
            (setsid xfce4-terminal --disable-server --geometry=100x30+40+40 -x sh -c 'ls -laR --color=always /usr/share | head -400; while :; do date; ls -la --color=always /etc | tail -5; sleep 0.1; done' > /dev/null 2>&1 &)
            for i in $(seq 100); do xdotool search --onlyvisible --class xfce4-terminal && xdotool search --onlyvisible --class thunar && exit 0; sleep 0.1; done; exit 1
            """);
        await computer.DoAsync("wait", new { seconds = 3 });
        return computer;
    }
}
