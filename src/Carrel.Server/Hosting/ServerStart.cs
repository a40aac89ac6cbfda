using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Files;
using Carrel.Server.State;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Hosting;

/// <summary>What happens between listening and being ready, in this order: schema, accounts, machines, unfinished deletions, files that nobody knows.</summary>
internal sealed class ServerStart(
    Database database, AccountStart accounts, Recovery recovery, WorkspaceDeletion workspaces, FileKeeping files, Readiness readiness, TimeProvider clock,
    ILogger<ServerStart> log)
{
    /// <returns>Null, or why the state cannot be used.</returns>
    public async Task<Failure?> RunAsync(CancellationToken cancellationToken)
    {
        if (await database.OpenAsync() is { } unusable)
        {
            return unusable;
        }

        var migrated = await Migrations.ApplyAsync(database, clock, log);
        if (!migrated.Succeeded)
        {
            return migrated.Failure;
        }

        await accounts.RunAsync();
        await recovery.RunAsync(cancellationToken);
        await workspaces.ResumeAllAsync();
        await files.SweepAsync();
        readiness.Set();
        return null;
    }
}
