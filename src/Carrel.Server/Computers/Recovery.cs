using Carrel.Machines;
using Carrel.Server.Files;
using Carrel.Server.Recordings;
using Carrel.Server.Screenshots;
using Carrel.Server.Snapshots;
using Carrel.Server.Sizes;

namespace Carrel.Server.Computers;

/// <summary>
/// Makes state and world agree after a restart, a crash or a reboot. What was asked for decides:
/// creating: nobody was ever told of it, so it never was; deleting: is finished; stopping: is finished; starting and
/// restarting: are finished, in the background, from a clean launch, and so is what restores a snapshot; running and suspended: taken over where its machine
/// lives, otherwise
/// stopped with a reason; stopped and error: a machine that lives all
/// the same is ended, and error is over once nothing of it is left.
/// </summary>
internal sealed partial class Recovery(
    ComputerStore store, ComputerRegistry registry, Lifecycle lifecycle, MachineWatch watch, IMachineHost host, ScreenshotStore screenshots,
    RecordingDesk recordings, RecordingFiles recordingFiles, FileDelivery files, SnapshotKeeping snapshots, Resizing resizing, ILogger<Recovery> log)
{
    private const string NeverMade = "The server ended while the computer was being made; nothing of it is left.";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var records = await store.AllAsync();
        await recordings.LoadAsync();
        var undone = records.Where(record => record.Status is ComputerStatus.Creating or ComputerStatus.Deleting).ToList();
        var kept = records.Except(undone).ToList();

        // Machines and disks outside this set are destroyed by the host, so the undone vanish from the host first and from the state after.
        var known = kept.Select(record => record.InstanceId).ToHashSet(StringComparer.Ordinal);
        var whole = await snapshots.WholeAsync(kept.Select(record => record.Id).ToHashSet(StringComparer.Ordinal));
        var machines = (await host.RecoverAsync(known, whole, cancellationToken)).ToDictionary(machine => machine.Id, StringComparer.Ordinal);
        var unfinished = await store.UnfinishedAsync();
        var operations = unfinished.Where(operation => operation.Status == "running").ToLookup(operation => operation.ComputerId);
        foreach (var record in undone)
        {
            screenshots.DeleteAll(record.InstanceId);
            recordingFiles.DeleteAll(record.InstanceId);
            await store.DeleteAsync(record.Id, LastOf(operations[record.Id]), record.Status == ComputerStatus.Creating ? NeverMade : null);
            Undone(log, record.InstanceId, record.Status.Wire());
        }

        foreach (var record in kept)
        {
            var row = operations[record.Id].LastOrDefault();
            if (row?.Kind == "resume")
            {
                await store.EndAsync(record, Guid.Parse(row.Id), "The server ended before it was done; the computer is suspended still.");
                row = null;
            }

            await RestoreAsync(record, machines.GetValueOrDefault(record.InstanceId), row);
        }

        await CloseAsync(unfinished, kept);

        Recovered(log, kept.Count, machines.Count, undone.Count);
    }

    private static Guid? LastOf(IEnumerable<OperationRow> operations) => operations.LastOrDefault() is { } row ? Guid.Parse(row.Id) : null;

    /// <summary>What is not being finished by now says how it ended: what waited for its turn never began, and of the rest nobody knows.</summary>
    private async Task CloseAsync(IReadOnlyList<OperationRow> unfinished, IReadOnlyList<ComputerRecord> kept)
    {
        var goingOn = kept.Where(record => record.Status is ComputerStatus.Starting or ComputerStatus.Restarting or ComputerStatus.Stopping)
            .Select(record => record.Id).ToHashSet(StringComparer.Ordinal);
        var still = (await store.UnfinishedAsync()).Select(operation => operation.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var row in unfinished.Where(row => still.Contains(row.Id)))
        {
            if (row.Status == "queued")
            {
                await store.EndOperationAsync(Guid.Parse(row.Id), "The server ended before its turn came; it never began.");
            }
            else if (!goingOn.Contains(row.ComputerId))
            {
                await store.EndOperationAsync(Guid.Parse(row.Id), "The server ended while it was under way.", unclear: true);
            }
        }
    }

    private async Task RestoreAsync(ComputerRecord record, IMachine? machine, OperationRow? unfinished)
    {
        Guid? operation = unfinished is null ? null : Guid.Parse(unfinished.Id);
        if (machine is not null && record.Status is ComputerStatus.Running or ComputerStatus.Suspended)
        {
            record = await resizing.AsFoundAsync(record, machine);
        }

        var computer = new Computer(record);
        var session = machine is null ? null : new MachineSession(machine);
        computer.Set(record, session);
        registry.Add(computer);
        switch (record.Status)
        {
            case ComputerStatus.Restarting or ComputerStatus.Stopping when unfinished?.Subject is { } snapshot:
                _ = computer.Post(() => lifecycle.RestoreAsync(computer, record, operation, snapshot));
                break;
            case ComputerStatus.Running when session is not null:
                watch.Watch(computer, session);
                recordings.Resume(computer, session);
                files.Begin(computer);
                break;
            case ComputerStatus.Suspended when session is not null:
                // Whatever was under way, a suspend or a resume, it is suspended now.
                await lifecycle.SuspendAsync(computer, record, operation);
                break;
            case ComputerStatus.Running or ComputerStatus.Suspended:
                var stopped = record.With(ComputerStatus.Stopped, "Its machine was gone when the server came back: the host was restarted, or the machine ended meanwhile.");
                await store.EndAsync(stopped, operation, null);
                computer.Set(stopped, null);
                break;
            case ComputerStatus.Starting or ComputerStatus.Restarting:
                _ = computer.Post(() => lifecycle.StartAsync(computer, record, operation));
                break;
            case ComputerStatus.Error when session is null:
                // The host has cleared away whatever a failed stop or delete had left.
                var settled = record.With(ComputerStatus.Stopped, record.StatusReason);
                await store.EndAsync(settled, operation, null);
                computer.Set(settled, null);
                break;
            case ComputerStatus.Stopping:
            case ComputerStatus.Stopped or ComputerStatus.Error when session is not null:
                _ = computer.Post(() => lifecycle.StopAsync(computer, record, operation));
                break;
        }
    }

    [LoggerMessage(1230, LogLevel.Information, "Computer {Instance}: was {Status} when the server ended, and is gone")]
    private static partial void Undone(ILogger log, string instance, string status);

    [LoggerMessage(1231, LogLevel.Information, "Recovered {Computers} computers, {Machines} machines alive, {Undone} undone")]
    private static partial void Recovered(ILogger log, int computers, int machines, int undone);
}
