using System.Collections.Concurrent;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Hosting;

namespace Carrel.Server.Metrics;

/// <summary>
/// Looks at every machine every ten seconds, from the host's side: a few small reads each. A machine that is suspended is looked at
/// as well, since it takes memory still.
/// </summary>
internal sealed partial class UsageSampler(ComputerRegistry registry, Readiness readiness, TimeProvider clock, ILogger<UsageSampler> log)
    : BackgroundService, IComputerUsage
{
    private readonly ConcurrentDictionary<string, Followed> _followed = new(StringComparer.Ordinal);

    public UsageHistory? HistoryOf(string computerId) => _followed.GetValueOrDefault(computerId)?.History;

    public Usage? Of(string computerId, TimeSpan period)
    {
        var now = Now;
        return HistoryOf(computerId) is { } history ? Usage.Sum(history.Of(now - (long)period.TotalMilliseconds, now, fine: true)) : null;
    }

    /// <summary>One look at all.</summary>
    public async Task SampleAsync(CancellationToken cancellationToken)
    {
        foreach (var computer in registry.All)
        {
            await LookAsync(computer, cancellationToken);
        }

        foreach (var id in _followed.Keys.Where(id => registry.Find(id) is null))
        {
            _followed.TryRemove(id, out _);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(UsageHistory.FineSeconds), clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (readiness.IsReady)
                {
                    await SampleAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server ends.
        }
    }

    private async Task LookAsync(Computer computer, CancellationToken cancellationToken)
    {
        if (computer.State.Session?.Machine is not { } machine || machine.Completion.IsCompleted)
        {
            return;
        }

        try
        {
            var (stats, now) = (await machine.ReadStatsAsync(cancellationToken), Now);
            var followed = _followed.GetOrAdd(computer.Id, _ => new Followed());
            if (followed.Last is { } last && last.Machine == machine && now > last.At)
            {
                followed.History.Add(Usage.Between(last.At, last.Stats, now, stats));
            }

            followed.Last = new Look(machine, now, stats);
        }
        catch (IOException gone)
        {
            // It is being stopped: what was to be read is no longer there.
            NotRead(log, computer.State.Record.InstanceId, gone.Message);
        }
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed class Followed
    {
        public UsageHistory History { get; } = new();

        public Look? Last { get; set; }
    }

    private sealed record Look(IMachine Machine, long At, MachineStats Stats);

    [LoggerMessage(1710, LogLevel.Debug, "Computer {Instance}: its use could not be read: {Why}")]
    private static partial void NotRead(ILogger log, string instance, string why);
}
