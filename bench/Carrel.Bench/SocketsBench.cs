using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>
/// Many computers at once, each with all its sockets open and busy: a terminal that prints ten times a second, a speaker that plays,
/// files that change, a window that draws. Memory must be flat, no socket may fall silent, and nothing may be left afterwards.
/// </summary>
internal sealed class SocketsBench(Installation installation, int computers, TimeSpan lasting, IProgress<string> progress)
{
    private const string Activity = """
        (setsid sh -c 'while :; do touch /root/Desktop/tick; sleep 1; done' > /dev/null 2>&1 &)
        (setsid sh -c 'while :; do cat /dev/urandom | head -c 960000; done | pacat --raw --rate=48000 --channels=1 --format=s16le' > /dev/null 2>&1 &)
        (DISPLAY=:99 setsid xfce4-terminal --disable-server -x sh -c 'while date; do sleep 0.5; done' > /dev/null 2>&1 &)
        """;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, SocketClock> _clocks = new();

    internal async Task<IReadOnlyList<Row>> RunAsync()
    {
        var workspace = await installation.Api.NewWorkspaceAsync();
        var made = new List<Computer>();
        for (var i = 0; i < computers; i++)
        {
            progress.Report($"sockets: computer {i + 1}/{computers}");
            made.Add(await installation.Api.NewComputerAsync(workspace, $"busy{i}"));
            await made[i].BashAsync(Activity);
        }

        // The first sockets make what the server has once.
        await OpenOnceAsync(made[0]);
        var filesBefore = OpenFiles();
        using var over = new CancellationTokenSource();
        var sockets = made.SelectMany(computer => Open(computer, over.Token)).ToList();
        var memory = await WatchAsync();
        await over.CancelAsync();
        await Task.WhenAll(sockets);
        var silences = _clocks.Values.Select(clock => clock.Longest.TotalSeconds).ToList();
        var left = await LeftAsync(filesBefore);
        foreach (var computer in made)
        {
            await installation.Api.DeleteAsync(computer.Path);
        }

        // The first minute is warm-up: code is compiled, pools are filled.
        var settled = memory.Skip((int)(TimeSpan.FromMinutes(1) / Between)).DefaultIfEmpty(memory[^1]).ToList();
        var fifth = Math.Max(1, settled.Count / 5);
        return
        [
            new Row("sockets-server-memory", "MiB", memory),
            new Row("sockets-server-memory-growth", "MiB", [settled.TakeLast(fifth).Average() - settled.Take(fifth).Average()], 16),
            new Row("sockets-longest-silence", "s", silences, 5),
            new Row("sockets-left-open", "count", [left], 0),
        ];
    }

    private async Task OpenOnceAsync(Computer computer)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await Task.WhenAll(Open(computer, soon.Token));
        _clocks.Clear();
    }

    private IEnumerable<Task> Open(Computer computer, CancellationToken over)
    {
        yield return ListenAsync(computer, "terminal", socket => socket.TypeAsync("while :; do date +%s.%N; sleep 0.1; done\r"), over);
        yield return ListenAsync(computer, "audio", _ => Task.CompletedTask, over);
        yield return ListenAsync(computer, "events", socket => socket.SendAsync(new { type = "subscribe", event_types = (string[])["file_change", "window_open", "process_start", "clipboard"] }), over);
        yield return WatchScreenAsync(computer, over);
    }

    private async Task ListenAsync(Computer computer, string name, Func<LiveSocket, Task> begin, CancellationToken over)
    {
        using var socket = await LiveSocket.ConnectAsync(installation.Address, computer.InstanceId, name, installation.Key);
        await begin(socket);
        var clock = _clocks.GetOrAdd($"{computer.InstanceId}/{name}", _ => new SocketClock());
        while (!over.IsCancellationRequested)
        {
            if (await socket.ReceiveAsync() is null)
            {
                throw new UnexpectedAnswerException($"{name} of {computer.InstanceId} was closed with {socket.Closed}");
            }

            clock.Heard();
        }

        await socket.CloseAsync();
    }

    private async Task WatchScreenAsync(Computer computer, CancellationToken over)
    {
        await using var screen = await RfbClient.ConnectAsync(installation.Address, computer.InstanceId, installation.Key, computer.Created["vnc_password"]!.GetValue<string>());
        var clock = _clocks.GetOrAdd($"{computer.InstanceId}/websockify", _ => new SocketClock());
        for (var incremental = false; !over.IsCancellationRequested; incremental = true)
        {
            await screen.RequestAsync(incremental);
            await screen.ReadUpdateAsync();
            clock.Heard();
        }
    }

    private async Task<List<double>> WatchAsync()
    {
        var memory = new List<double>();
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < lasting)
        {
            memory.Add(ServerMemory());
            progress.Report(string.Create(CultureInfo.InvariantCulture, $"sockets: {Stopwatch.GetElapsedTime(started).TotalSeconds:F0}/{lasting.TotalSeconds:F0} s, {memory[^1]:F0} MiB"));
            await Task.Delay(Between, TimeProvider.System);
        }

        return memory;
    }

    private double ServerMemory() => double.Parse(
        File.ReadLines($"/proc/{installation.ServerPid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    private int OpenFiles() => Directory.EnumerateFileSystemEntries($"/proc/{installation.ServerPid}/fd").Count();

    // Connections end a moment after their sockets are closed.
    private async Task<double> LeftAsync(int before)
    {
        using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (OpenFiles() > before && !grace.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        return Math.Max(0, OpenFiles() - before);
    }

    /// <summary>When a socket was last heard, and its longest silence.</summary>
    private sealed class SocketClock
    {
        private long _last = Stopwatch.GetTimestamp();

        internal TimeSpan Longest { get; private set; }

        internal void Heard()
        {
            var silence = Stopwatch.GetElapsedTime(_last);
            Longest = silence > Longest ? silence : Longest;
            _last = Stopwatch.GetTimestamp();
        }
    }
}
