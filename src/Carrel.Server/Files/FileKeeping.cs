using Carrel.Contracts;
using Carrel.Server.State;

namespace Carrel.Server.Files;

/// <summary>Records and contents together: a record is written when its contents are whole, and goes before them.</summary>
internal sealed class FileKeeping(FileStore store, FileContents contents, IIdFactory ids, TimeProvider clock)
{
    private const int DiskFull = 28; // ENOSPC

    /// <summary>Keeps what <paramref name="receive"/> writes and describes; nothing where it fails, however it does.</summary>
    /// <param name="announce">Told the id before there is anything under it.</param>
    public async Task<Outcome<FileRecord>> KeepAsync(Func<FileStream, Task<Outcome<FileRecord>>> receive, Func<string, Task>? announce = null)
    {
        var id = ids.NewId().ToString();
        var isKept = false;
        try
        {
            Outcome<FileRecord> received;
            long size;
            await using (var file = contents.Create(id))
            {
                received = await receive(file);
                size = file.Length;
            }

            if (!received.Succeeded)
            {
                return received.Failure;
            }

            var record = received.Value with { Id = id, SizeBytes = size, CreatedAt = clock.GetUtcNow().ToUnixTimeMilliseconds() };
            if (announce is not null)
            {
                await announce(id);
            }

            isKept = await store.InsertAsync(record);
            return isKept ? record : new Failure(ErrorCodes.NotFound, $"No workspace {record.WorkspaceId}.");
        }
        catch (IOException full) when (full.HResult == DiskFull)
        {
            return new Failure(ErrorCodes.HostDiskFull, "The server's disk is full.", "Delete files that are no longer needed, or ask its operator.");
        }
        finally
        {
            if (!isKept)
            {
                contents.Delete(id);
            }
        }
    }

    public async Task<bool> DeleteAsync(string id)
    {
        var wasThere = await store.DeleteAsync(id);
        contents.Delete(id);
        return wasThere;
    }

    public async Task DeleteAllAsync(string workspaceId)
    {
        foreach (var file in await store.ListAsync(workspaceId, null))
        {
            await DeleteAsync(file.Id);
        }
    }

    public async Task<int> SweepAsync() => contents.Sweep((await store.AllIdsAsync()).ToHashSet(StringComparer.Ordinal));
}
