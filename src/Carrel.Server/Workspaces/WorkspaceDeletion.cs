using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Files;
using Carrel.Server.Plans;
using Carrel.Server.State;

namespace Carrel.Server.Workspaces;

/// <summary>Deletes a workspace with all its computers, or leaves it in place and says which computer would not go.</summary>
internal sealed class WorkspaceDeletion(WorkspaceStore store, ComputerRegistry registry, Lifecycle lifecycle, KeyRing keys, ClientBook clients, FileKeeping files, SureWrites sure)
{
    public async Task<Outcome<bool>> RunAsync(string id)
    {
        if (!await store.MarkDeletingAsync(id))
        {
            return new Failure(ErrorCodes.NotFound, $"No workspace {id}.");
        }

        return await FinishAsync(id);
    }

    /// <summary>Goes on where a server that died left off.</summary>
    public async Task ResumeAllAsync()
    {
        foreach (var id in await store.DeletingAsync())
        {
            await FinishAsync(id);
        }
    }

    private async Task<Outcome<bool>> FinishAsync(string id)
    {
        var outcomes = await Task.WhenAll(registry.In(id).Select(lifecycle.DeleteWhenSettledAsync));
        if (Array.Find(outcomes, outcome => !outcome.Succeeded) is { Failure: { } failure })
        {
            await sure.RunAsync(() => store.UnmarkAsync(id));
            return failure with { Message = $"The workspace was not deleted, because one of its computers was not: {failure.Message}" };
        }

        await sure.RunAsync(() => files.DeleteAllAsync(id));
        await sure.RunAsync(() => store.DeleteAsync(id));
        keys.Forget(id);
        clients.Forget(id);
        return true;
    }
}
