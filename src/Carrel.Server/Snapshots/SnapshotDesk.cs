using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Clones;
using Carrel.Server.Computers;
using Carrel.Server.Files;
using Carrel.Server.Hosting;
using Carrel.Server.State;

namespace Carrel.Server.Snapshots;

/// <summary>
/// Takes and deletes snapshots, and makes computers from them. All of it runs in the mailbox of the computer whose snapshots they are, so that
/// nothing is copied which is being replaced or deleted. Restoring one is a transition, see <see cref="Lifecycle"/>.
/// </summary>
internal sealed partial class SnapshotDesk(
    SnapshotStore store, ComputerRegistry registry, IMachineHost host, FileStore files, Lifecycle lifecycle, Settings settings, IIdFactory ids, TimeProvider clock, SureWrites sure,
    ILogger<SnapshotDesk> log)
{
    public Task<Outcome<(SnapshotRow Row, TimeSpan Frozen)>> TakeAsync(Computer computer, string? name, string? description) => computer.Post(async () =>
    {
        if (Cloning.Refusal(computer, registry) is { } refusal)
        {
            return refusal;
        }

        var record = computer.State.Record;
        var now = clock.GetUtcNow();
        var row = SnapshotRow.Of(record, ids.NewId().ToString(), name ?? $"{now:yyyy-MM-dd HH:mm:ss}", description, now);
        if (!await store.InsertAsync(row, settings.MaxSnapshots))
        {
            return new Failure(
                ErrorCodes.SnapshotLimit,
                $"Computer {record.Name} has {settings.MaxSnapshots} snapshots, as many as it may.",
                "Delete one, or raise the setting max_snapshots.");
        }

        var taken = await host.TakeSnapshotAsync(record.InstanceId, row.Id, CancellationToken.None);
        if (!taken.Succeeded)
        {
            await sure.RunAsync(() => store.DeleteAsync(row.Id));
            return taken.Failure;
        }

        var copy = taken.Value;
        row = row with { Status = SnapshotRow.Ready, ImageDigest = copy.Image, SizeBytes = copy.UsedBytes };
        await sure.RunAsync(() => store.UpdateAsync(row));
        Taken(log, record.InstanceId, row.Id, copy.Frozen.TotalMilliseconds);
        return (Outcome<(SnapshotRow, TimeSpan)>)(row, copy.Frozen);
    });

    public Task<Outcome<bool>> DeleteAsync(Computer computer, SnapshotRow row) => computer.Post(async () =>
    {
        if (await store.FindAsync(row.Id) is null)
        {
            return Gone(row);
        }

        await store.UpdateAsync(row with { Status = SnapshotRow.Deleting });
        var deleted = await host.DeleteSnapshotAsync(row.Id, CancellationToken.None);
        if (!deleted.Succeeded)
        {
            return deleted.Failure;
        }

        await sure.RunAsync(() => store.DeleteAsync(row.Id));
        return (Outcome<bool>)true;
    });

    /// <summary>Begins to create a computer whose disk is a copy of the snapshot.</summary>
    public Task<Outcome<Operation>> BeginCreateAsync(Computer owner, SnapshotRow row, ComputerRecord record) => lifecycle.BeginCreateAsync(
        record with { Image = row.Image },
        () => owner.Post(async () =>
        {
            if (await store.FindAsync(row.Id) is null)
            {
                return Gone(row);
            }

            await files.CopyDeliveriesAsync(owner.Id, record.Id, DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt));
            var copied = await host.DiskFromSnapshotAsync(row.Id, record.InstanceId, CancellationToken.None);
            return copied.Succeeded ? (Outcome<bool>)true : copied.Failure;
        }));

    private static Failure Gone(SnapshotRow row) => new(ErrorCodes.NotFound, $"Snapshot {row.Id} was deleted meanwhile.");

    [LoggerMessage(1250, LogLevel.Information, "Computer {Instance}: snapshot {Snapshot} taken; frozen for {Milliseconds:F1} ms")]
    private static partial void Taken(ILogger log, string instance, string snapshot, double milliseconds);
}
