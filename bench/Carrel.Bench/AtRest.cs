using System.Diagnostics;
using System.Globalization;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>What the server takes while twenty computers are there and nobody asks anything.</summary>
internal sealed class AtRest(Installation installation, int count, IProgress<string> progress)
{
    private const int Computers = 20;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(2);

    internal async Task<IReadOnlyList<Row>> MeasureAsync()
    {
        var workspace = await installation.Api.NewWorkspaceAsync();
        for (var i = 0; i < Computers; i++)
        {
            progress.Report($"rest: computer {i + 1}/{Computers}");
            await installation.Api.NewComputerAsync(workspace, $"rests{i}");
        }

        await Task.Delay(Settling, TimeProvider.System);
        var (processor, memory) = (new List<double>(), new List<double>());
        for (var i = 0; i < count; i++)
        {
            progress.Report($"rest {i + 1}/{count}");
            var (began, before) = (Stopwatch.GetTimestamp(), ProcessorTime.OfProcess(installation.ServerPid));
            await Task.Delay(Between, TimeProvider.System);
            processor.Add((ProcessorTime.OfProcess(installation.ServerPid) - before) / Stopwatch.GetElapsedTime(began).TotalMilliseconds * 100);
            memory.Add(ResidentMebibytes());
        }

        await installation.Api.DeleteAsync($"/api/workspaces/{workspace}");
        return [new Row("rest-server-cpu", "percent", processor, 2), new Row("rest-server-memory", "MiB", memory, 200)];
    }

    private double ResidentMebibytes() => long.Parse(
        File.ReadLines($"/proc/{installation.ServerPid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2],
        CultureInfo.InvariantCulture) / 1024.0;
}
