using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Idempotency;
using Carrel.Server.Screenshots;

namespace Carrel.Server.Hosting;

/// <summary>Once a minute: screenshots that expired, operations that ended long ago, idempotency keys of yesterday, what accounts have used.</summary>
internal sealed partial class Housekeeping(
    ScreenshotStore screenshots, ComputerStore computers, IdempotencyStore keys, AccountUpkeep accounts, Readiness readiness, TimeProvider clock, ILogger<Housekeeping> log)
    : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OperationsKept = TimeSpan.FromDays(7);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (readiness.IsReady)
                {
                    await SweepAsync();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server ends.
        }
    }

    private async Task SweepAsync()
    {
        try
        {
            var pictures = screenshots.Sweep();
            var operations = await computers.ForgetOperationsAsync(clock.GetUtcNow() - OperationsKept);
            await keys.SweepAsync();
            await accounts.RunAsync();
            Swept(log, pictures, operations);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or System.Data.Common.DbException)
        {
            NotSwept(log, failed); // Tried again in a minute.
        }
    }

    [LoggerMessage(1400, LogLevel.Debug, "Swept {Pictures} screenshots and {Operations} operations")]
    private static partial void Swept(ILogger log, int pictures, int operations);

    [LoggerMessage(1401, LogLevel.Warning, "Sweeping failed")]
    private static partial void NotSwept(ILogger log, Exception why);
}
