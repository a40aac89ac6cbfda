using System.Net;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>Changing a running computer's size, and holding it still.</summary>
internal sealed class Sizes(Installation installation, int count, IProgress<string> progress)
{
    private readonly Api _api = installation.Api;

    /// <summary>CPUs, memory and bandwidth in one call, back and forth; and the first two alone, which need no process.</summary>
    internal async Task<IReadOnlyList<Row>> ResizeAsync()
    {
        var computer = await _api.NewComputerAsync();
        var turn = 0;
        var all = await Measure.SamplesAsync(count, 5, () => ResizeAsync(computer, turn++ % 2 == 0
            ? new { vcpus = 2, mem_gb = 8, bandwidth_limit_mbps = 100 }
            : new { vcpus = 1, mem_gb = 4, bandwidth_limit_mbps = 50 }));
        var two = await Measure.SamplesAsync(count, 5, () => ResizeAsync(computer, turn++ % 2 == 0 ? new { vcpus = 2, mem_gb = 8 } : new { vcpus = 1, mem_gb = 4 }));
        await _api.DeleteAsync(computer.Path);
        return [new Row("resize", "ms", all, 50), new Row("resize-cpu-memory", "ms", two, 50)];
    }

    internal async Task<IReadOnlyList<Row>> SuspendAsync()
    {
        var computer = await _api.NewComputerAsync();
        var (suspend, resume) = (new List<double>(), new List<double>());
        for (var i = -5; i < count; i++)
        {
            progress.Report($"suspend-resume {i + 1}/{count}");
            var down = await Measure.MillisecondsAsync(() => computer.DoAsync("suspend"));
            var up = await Measure.MillisecondsAsync(async () =>
            {
                await computer.DoAsync("resume");
                await computer.DoAsync("click", new { x = 640, y = 300 });
            });
            if (i >= 0)
            {
                suspend.Add(down);
                resume.Add(up);
            }
        }

        await _api.DeleteAsync(computer.Path);
        return [new Row("suspend", "ms", suspend), new Row("resume-and-click", "ms", resume)];
    }

    private async Task ResizeAsync(Computer computer, object size)
        => Api.Expect(await _api.SendAsync(HttpMethod.Patch, $"{computer.Path}/resize", size), HttpStatusCode.OK);
}
