using System.Diagnostics;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>
/// What a browser sees of a window that scrolls all the time: updates over the VNC WebSocket, one asked for as soon as the last
/// has come, counted second by second, with the processor time of the whole computer and the server in the same seconds.
/// </summary>
internal static class VncFrames
{
    internal static async Task<IReadOnlyList<Row>> MeasureAsync(Installation installation, int count, IProgress<string> progress)
    {
        var computer = await installation.Api.NewComputerAsync(more: new { cpu = 2, resolution = "1280x720x24" });
        await computer.BashAsync("""
            export DISPLAY=:99
            (setsid xfce4-terminal --disable-server --title=scroll --geometry=150x38+10+30 -x sh -c 'while :; do ls -la --color=always /usr/lib /etc /usr/bin; sleep 0.005; done' > /dev/null 2>&1 &)
            for i in $(seq 100); do xdotool search --onlyvisible --name '^scroll$' && exit 0; sleep 0.1; done; exit 1
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
