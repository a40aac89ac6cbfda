using Carrel.Contracts.Api;
using Carrel.Server.Computers;
using Carrel.Server.Errors;

namespace Carrel.Server.Metrics;

/// <summary>GET /computers/{id}/metrics.</summary>
internal sealed class MetricsEndpoint(ComputerLookup lookup, UsageSampler sampler, TimeProvider clock)
{
    private const long GiB = 1L << 30;

    public async Task<IResult> GetAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var now = clock.GetUtcNow();
        var query = MetricsQuery.Read(context.Request.Query, now.ToUnixTimeMilliseconds());
        if (!query.Succeeded)
        {
            return query.Failure.AsProblem();
        }

        var (from, to, step) = query.Value;
        var history = sampler.HistoryOf(computer!.Id);
        var answer = new MetricsAnswer(
            computer.Id,
            computer.State.Status.Wire(),
            DateTimeOffset.FromUnixTimeMilliseconds(from),
            DateTimeOffset.FromUnixTimeMilliseconds(to),
            step,
            await NowAsync(computer, history?.Latest, now, context.RequestAborted),
            [.. Enumerable.Range(0, query.Value.Points).Select(point => (from / 1000) + ((long)point * step))],
            SeriesOf(history?.Of(from, to, fine: step < UsageHistory.CoarseSeconds) ?? [], query.Value));
        return Results.Json(answer, ApiJson.Default.MetricsAnswer);
    }

    private static async Task<MetricsNow?> NowAsync(Computer computer, Usage? latest, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (record, session) = computer.State;
        if (session is null || session.Machine.Completion.IsCompleted)
        {
            return null;
        }

        try
        {
            var stats = await session.Machine.ReadStatsAsync(cancellationToken);
            return new MetricsNow(
                now,
                Rounded(latest?.CpuSeconds / latest?.Seconds * 100),
                Rounded(latest?.ThrottledSeconds / latest?.Seconds * 100),
                record.Hardware.Cpu * 100,
                stats.MemoryBytes,
                stats.MemoryInUseBytes,
                record.Hardware.RamGb * GiB,
                stats.FileSystemUsedBytes,
                stats.FileSystemBytes,
                Rounded(latest?.ReceivedBytes / latest?.Seconds),
                Rounded(latest?.SentBytes / latest?.Seconds),
                stats.Processes);
        }
        catch (IOException)
        {
            return null; // It is being stopped: there is no longer anything to read.
        }
    }

    /// <summary>Each stretch counts in the step in which its middle lies.</summary>
    private static MetricsSeries SeriesOf(IReadOnlyList<Usage> usages, MetricsQuery query)
    {
        var steps = usages.ToLookup(usage => (((usage.From + usage.To) / 2) - query.From) / query.StepMs);
        var sums = Enumerable.Range(0, query.Points).Select(step => Usage.Sum([.. steps[step]])).ToList();
        IReadOnlyList<double?> Each(Func<Usage, double> of) => [.. sums.Select(sum => sum is { } usage ? Rounded(of(usage)) : null)];
        return new MetricsSeries(
            Each(usage => usage.CpuSeconds / usage.Seconds * 100),
            Each(usage => usage.ThrottledSeconds / usage.Seconds * 100),
            Each(usage => usage.Memory),
            Each(usage => usage.MemoryInUse),
            Each(usage => usage.DiskUsed),
            Each(usage => usage.ReceivedBytes / usage.Seconds),
            Each(usage => usage.SentBytes / usage.Seconds),
            Each(usage => usage.Processes));
    }

    private static double? Rounded(double? value) => value is { } number ? Math.Round(number, 2) : null;
}
