using Carrel.Contracts;
using Carrel.Machines;

namespace Carrel.Server.Snapshots;

/// <summary>What becomes of snapshots when their computer goes, and after a crash.</summary>
internal sealed class SnapshotKeeping(SnapshotStore store, IMachineHost host)
{
    /// <summary>Deletes a computer's snapshots from the host; their rows go with the computer's.</summary>
    public async Task<Outcome<bool>> DeleteAllAsync(string computerId)
    {
        await store.HideAllAsync(computerId); // Should one of them fail, none is offered that is not there.
        foreach (var id in await store.IdsOfAsync(computerId))
        {
            var deleted = await host.DeleteSnapshotAsync(id, CancellationToken.None);
            if (!deleted.Succeeded)
            {
                return deleted.Failure;
            }
        }

        return true;
    }

    /// <summary>
    /// Those that were whole when the last server ended, of computers that are kept. The others are forgotten here and deleted by the
    /// host's recovery.
    /// </summary>
    public async Task<IReadOnlySet<string>> WholeAsync(IReadOnlySet<string> keptComputers)
    {
        var whole = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in await store.AllAsync())
        {
            if (row.Status == SnapshotRow.Ready && keptComputers.Contains(row.ComputerId))
            {
                whole.Add(row.Id);
            }
            else
            {
                await store.DeleteAsync(row.Id);
            }
        }

        return whole;
    }
}
