using System.Data.Common;
using Carrel.Contracts;

namespace Carrel.Server.State;

/// <summary>
/// Writes what has happened already, and so must be written: where the database cannot now (it is busy, its disk is full, it is being
/// restarted), again and again until it can, or the server ends.
/// </summary>
internal sealed partial class SureWrites(TimeProvider clock, IHostApplicationLifetime application, ILogger<SureWrites> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task RunAsync(Func<Task> write)
    {
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (DbException notNow) when (!application.ApplicationStopping.IsCancellationRequested)
            {
                NotWritten(log, notNow);
            }

            await Task.Delay(Pause, clock);
        }
    }

    /// <summary>The same for work on the host. False where the server ends before it is done.</summary>
    public async Task<bool> UntilDoneAsync(Func<Task<Outcome<bool>>> work)
    {
        while (!(await work()).Succeeded)
        {
            if (application.ApplicationStopping.IsCancellationRequested)
            {
                return false;
            }

            await Task.Delay(Pause, clock);
        }

        return true;
    }

    [LoggerMessage(1110, LogLevel.Error, "The database cannot be written; this is tried again")]
    private static partial void NotWritten(ILogger log, Exception why);
}
