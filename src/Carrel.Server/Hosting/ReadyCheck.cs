using System.Data.Common;
using Carrel.Contracts.Api;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Hosting;

/// <summary><c>/readyz</c>: tries what the next create would need, instead of remembering that it once worked.</summary>
internal sealed partial class ReadyCheck(Readiness readiness, Database database, Settings settings, TimeProvider clock, ILogger<ReadyCheck> log)
{
    private const string Ok = "ok";
    private const long LeastFreeBytes = 1L << 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<IResult> RunAsync()
    {
        var checks = new Dictionary<string, string>
        {
            ["takeover"] = readiness.IsReady ? Ok : "the machines of the last server are being taken over",
            ["database"] = readiness.IsReady ? await DatabaseAsync() : "not looked at before that is done",
            ["disk"] = Disk(),
        };
        var ready = checks.Values.All(state => state == Ok);
        return Results.Json(new ServerReadiness(ready, checks), ApiJson.Default.ServerReadiness, statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Takes the turn of a writer, so that a writer who is stuck is seen, too.</summary>
    private async Task<string> DatabaseAsync()
    {
        try
        {
            var write = database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
                "UPDATE schema_migrations SET applied_at = applied_at WHERE number = 1", transaction: transaction));
            await write.WaitAsync(Patience, clock);
            return Ok;
        }
        catch (TimeoutException)
        {
            return "a write takes longer than two seconds";
        }
        catch (DbException broken)
        {
            Broken(log, broken);
            return "it cannot be written; the server's log says why";
        }
    }

    private string Disk()
    {
        var free = new DriveInfo(settings.Data).AvailableFreeSpace;
        return free >= LeastFreeBytes ? Ok : $"{free >> 20} MiB are free for the data folder, less than {LeastFreeBytes >> 20}";
    }

    [LoggerMessage(1310, LogLevel.Error, "The database cannot be written")]
    private static partial void Broken(ILogger log, Exception why);
}
