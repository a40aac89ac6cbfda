using System.Globalization;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Hosting;

namespace Carrel.Server.Waking;

/// <summary>
/// Stops computers that nobody uses: no call that names them, nothing open to them, no recording or stream of theirs, and next to
/// no CPU and network for the whole of their period. One timer for all; counters are read once a minute and computer. A call at
/// the very moment either prevents the stop or meets a stopping computer. What was counted is in memory only: after a restart of
/// the server every period begins anew.
/// </summary>
internal sealed partial class AutoStop(
    ComputerRegistry registry, Lifecycle lifecycle, Readiness readiness, Settings settings, TimeProvider clock, ILogger<AutoStop> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StreamAllowance = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _oneLook = new(1, 1);
    private readonly IdleLimits _limits = new(settings.AutoStopCpuPercent, settings.AutoStopNetworkBytes);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (readiness.IsReady)
                {
                    await CheckAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server ends.
        }
    }

    /// <summary>Looks at all computers once, and begins to stop those whose time has come.</summary>
    internal async Task CheckAsync(CancellationToken cancellationToken)
    {
        await _oneLook.WaitAsync(cancellationToken);
        try
        {
            await LookAtAllAsync(cancellationToken);
        }
        finally
        {
            _oneLook.Release();
        }
    }

    public override void Dispose()
    {
        _oneLook.Dispose();
        base.Dispose();
    }

    private async Task LookAtAllAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetElapsedTime(0, clock.GetTimestamp());
        var due = new List<Task>();
        foreach (var computer in registry.All)
        {
            if (computer.State is { Usable: { } session, Record.AutoStopMinutes: > 0 and var minutes }
                && await IdleAsync(computer, session, now, cancellationToken) is { } idle && idle >= TimeSpan.FromMinutes(minutes))
            {
                due.Add(StopAsync(computer, session, minutes, cancellationToken));
            }
        }

        await Task.WhenAll(due);
    }

    /// <returns>Null where it is not known yet.</returns>
    private async Task<TimeSpan?> IdleAsync(Computer computer, MachineSession session, TimeSpan now, CancellationToken cancellationToken)
    {
        if (computer.Use.TakeUsed() || computer.Notes is not null) // Notes are kept while it is being recorded.
        {
            session.Idle.Used();
            return null;
        }

        if (!session.Idle.IsDue(now))
        {
            return null;
        }

        try
        {
            var stats = await session.Machine.ReadStatsAsync(cancellationToken);
            return session.Idle.Look(now, stats.CpuTime, stats.ReceivedBytes + stats.SentBytes, _limits);
        }
#pragma warning disable CA1031 // A machine that has just ended, or a bug: neither may cost the others their turn, or the server its life.
        catch (Exception unreadable) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            Unreadable(log, unreadable, computer.State.Record.InstanceId);
            return null;
        }
    }

    private async Task StopAsync(Computer computer, MachineSession session, int minutes, CancellationToken cancellationToken)
    {
        // Only deskd knows of streams. One whose target is slow moves few bytes, and is a use all the same. A deskd that does not answer streams nothing.
        var status = await session.AskAsync(HttpMethod.Get, "/stream/status", null, readOnly: true, StreamAllowance, clock, cancellationToken);
        if (status.Succeeded && status.Value.TextOf("status") == "streaming")
        {
            session.Idle.Used();
            return;
        }

        var reason = string.Create(CultureInfo.InvariantCulture, $"It was idle for {minutes} {(minutes == 1 ? "minute" : "minutes")} (auto_stop_minutes).");
        if (lifecycle.BeginIdleStop(computer, reason) is { } stop)
        {
            Stopping(log, computer.State.Record.InstanceId, minutes);
            await stop.Recorded;
        }
    }

    [LoggerMessage(1252, LogLevel.Debug, "Computer {Instance}: what it uses cannot be read")]
    private static partial void Unreadable(ILogger log, Exception why, string instance);

    [LoggerMessage(1251, LogLevel.Information, "Computer {Instance}: idle for {Minutes} minutes, stopping")]
    private static partial void Stopping(ILogger log, string instance, int minutes);
}
