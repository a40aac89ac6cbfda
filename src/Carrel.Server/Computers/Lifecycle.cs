using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Files;
using Carrel.Server.Hosting;
using Carrel.Server.Recordings;
using Carrel.Server.Screenshots;
using Carrel.Server.Snapshots;
using Carrel.Server.State;

namespace Carrel.Server.Computers;

/// <summary>A transition that was begun.</summary>
/// <param name="Recorded">Completes when its operation is in the database.</param>
/// <param name="Done">How it ended.</param>
internal sealed record Operation(Guid Id, Task Recorded, Task<Outcome<Computer>> Done);

/// <summary>
/// Carries out transitions. Each: (1) is judged by <see cref="Transitions"/> and posted in the computer's mailbox, (2) is
/// written down, (3) does its work, (4) writes how it ended. Whatever happens in 3, 4 happens.
/// </summary>
internal sealed partial class Lifecycle(
    ComputerRegistry registry,
    ComputerStore store,
    BringUp bringUp,
    MachineWatch watch,
    IMachineHost host,
    ScreenshotStore screenshots,
    RecordingDesk recordings,
    FileDelivery files,
    FileStore deliveries,
    SnapshotStore snapshots,
    SnapshotKeeping snapshotKeeping,
    SureWrites sure,
    Guard guard,
    Settings settings,
    IIdFactory ids,
    ILogger<Lifecycle> log)
{
    /// <summary>Creates a computer and returns when its desktop can be used. Goes on when nobody waits any longer.</summary>
    /// <param name="makeDisk">Makes its disk, where that is no new one.</param>
    public async Task<Outcome<Computer>> CreateAsync(ComputerRecord record, Func<Task<Outcome<bool>>>? makeDisk = null)
    {
        var begun = await BeginCreateAsync(record, makeDisk);
        return begun.Succeeded ? await begun.Value.Done : begun.Failure;
    }

    /// <summary>The same, and returns when it is written down.</summary>
    public async Task<Outcome<Operation>> BeginCreateAsync(ComputerRecord record, Func<Task<Outcome<bool>>>? makeDisk = null)
    {
        var computer = new Computer(record);
        var operation = ids.NewId();

        // Posted first, so that whoever finds it in the registry and waits for it really waits.
        var isRecorded = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var made = computer.Post(() => MakeAsync(computer, record, operation, isRecorded.Task, makeDisk));
        var inserted = await GuardedAsync(computer, async () =>
            (Outcome<Insertion>)await store.InsertAsync(record, operation, () => registry.Add(computer)));
        if (inserted is { Succeeded: true, Value: Insertion.Done })
        {
            isRecorded.SetResult(true);
            return new Operation(operation, Task.CompletedTask, made);
        }

        registry.Remove(computer);
        isRecorded.SetResult(false);
        return inserted.Failure ?? Refusals.NotInserted(record, inserted.Value);
    }

    private async Task<Outcome<Computer>> MakeAsync(
        Computer computer, ComputerRecord record, Guid operation, Task<bool> isRecorded, Func<Task<Outcome<bool>>>? makeDisk)
    {
        if (!await isRecorded)
        {
            return new Failure(ErrorCodes.NotFound, $"Computer {record.Name} never came to be.");
        }

        var up = await BroughtUpAsync(computer, async () =>
        {
            var disk = makeDisk is null ? true : await makeDisk();
            return disk.Succeeded ? await bringUp.RunAsync(record, machine => machine.DestroyAsync(CancellationToken.None)) : new BroughtUp(null, disk.Failure);
        });
        if (up.Failure is not { } failure)
        {
            return await RunningAsync(computer, record, up.Session!, operation);
        }

        Failed(log, record.InstanceId, "create", failure.Message);
        var cleared = up.Session is null && (makeDisk is null
            || (await GuardedAsync(computer, () => host.DeleteDiskAsync(record.InstanceId, CancellationToken.None))).Succeeded);
        if (!cleared)
        {
            // Something of it is left on the host, so the computer is there until that is gone.
            await EndedAsync(computer, record.With(ComputerStatus.Deleting, $"It could not be made: {failure.Message}"), up.Session, operation, failure);
            _ = computer.Post(() => ClearAsync(computer, record, up.Session));
            return failure;
        }

        await GuardedAsync(computer, async () =>
        {
            await sure.RunAsync(() => store.DeleteAsync(record.Id, operation, failure.Message));
            return (Outcome<bool>)true;
        });
        registry.Remove(computer);
        return failure;
    }

    private async Task<bool> ClearAsync(Computer computer, ComputerRecord record, MachineSession? session)
    {
        var cleared = await sure.UntilDoneAsync(() => GuardedAsync(computer, () => session is null
            ? host.DeleteDiskAsync(record.InstanceId, CancellationToken.None)
            : session.Machine.DestroyAsync(CancellationToken.None)));
        if (cleared)
        {
            await sure.RunAsync(() => store.DeleteAsync(record.Id));
            registry.Remove(computer);
        }

        return cleared;
    }

    private async Task<BroughtUp> BroughtUpAsync(Computer computer, Func<Task<BroughtUp>> work)
    {
        var up = await GuardedAsync(computer, async () => (Outcome<BroughtUp>)await work());
        return up.Succeeded ? up.Value : new BroughtUp(null, up.Failure);
    }

    /// <summary>Begins what <paramref name="command"/> asks for, or says why not.</summary>
    /// <param name="subject">The snapshot to restore.</param>
    /// <param name="queued">The operation under which it was written down before, where it was.</param>
    /// <returns>Null in the value where the computer is already there.</returns>
    public async Task<Outcome<Operation?>> BeginAsync(Computer computer, ComputerCommand command, string? subject = null, Guid? queued = null)
    {
        if (command == ComputerCommand.Suspend && !host.Capabilities.PauseKeepsMemory)
        {
            return new Failure(
                ErrorCodes.NotSupported, $"The isolation {host.Capabilities.Isolation} cannot keep a computer's memory, so none is suspended.", "Stop it instead.");
        }

        while (true)
        {
            var id = queued ?? ids.NewId();
            var recorded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (verdict, work) = computer.Begin(command, before => WorkAsync(computer, before, command, subject, id, recorded));
            if (work is not null)
            {
                return new Operation(id, recorded.Task, work);
            }

            if (verdict.Already)
            {
                return (Operation?)null;
            }

            if (verdict.Refusal is { } code)
            {
                return Refusals.Of(computer.State.Record, command, code);
            }

            await computer.Settled;
            if (registry.Find(computer.Id) != computer)
            {
                return new Failure(ErrorCodes.NotFound, $"Computer {computer.State.Record.Name} is no more.");
            }
        }
    }

    /// <summary>Stops a computer unless somebody uses it.</summary>
    /// <param name="reason">Stands with the status from then on.</param>
    /// <returns>Null where somebody does, or it does not run.</returns>
    public Operation? BeginIdleStop(Computer computer, string reason)
    {
        var (id, recorded) = (ids.NewId(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var (_, work) = computer.Begin(
            ComputerCommand.Stop, before => WorkAsync(computer, before, ComputerCommand.Stop, null, id, recorded), reason, onlyUnused: true);
        return work is null ? null : new Operation(id, recorded.Task, work);
    }

    /// <summary>Deletes a computer after whatever is under way, for the deletion of its workspace.</summary>
    public async Task<Outcome<Computer>> DeleteWhenSettledAsync(Computer computer)
    {
        while (registry.Find(computer.Id) is not null)
        {
            var begun = await BeginAsync(computer, ComputerCommand.Delete);
            if (begun is { Succeeded: true, Value: { } operation })
            {
                return await operation.Done;
            }

            await computer.Settled;
        }

        return computer;
    }

    private async Task<Outcome<Computer>> WorkAsync(
        Computer computer, ComputerState before, ComputerCommand command, string? subject, Guid id, TaskCompletionSource recorded)
    {
        // From suspended, whoever wants it to run has it go on where it was, with the secrets it has.
        var resumes = before.Status == ComputerStatus.Suspended
            && command is (ComputerCommand.Resume or ComputerCommand.Start or ComputerCommand.EnsureRunning);
        var kind = resumes ? "resume" : KindOf(command);
        var record = computer.State.Record;
        var written = await GuardedAsync(computer, async () =>
        {
            if (resumes || command == ComputerCommand.Suspend)
            {
                // Cut off by the end of the server, it is suspended: that keeps all.
                await store.BeginAsync(record.With(ComputerStatus.Suspended), id, kind);
                return (Outcome<bool>)true;
            }

            if (command is ComputerCommand.Start or ComputerCommand.EnsureRunning or ComputerCommand.Restart or ComputerCommand.Restore)
            {
                record = record with { Secrets = NewSecrets() };
            }

            await store.BeginAsync(record, id, kind, subject);
            return (Outcome<bool>)true;
        });
        recorded.SetResult();
        if (!written.Succeeded)
        {
            // Nothing was done, so nothing has changed; unless its machine ended by itself before its turn came.
            var session = computer.State.Session;
            var ended = session is null && before.Session is not null;
            computer.Set(
                computer.State.Record.With(ended ? ComputerStatus.Stopped : before.Status, ended ? "Its machine ended by itself." : before.Record.StatusReason), session);
            WatchAgain(computer);
            return written.Failure;
        }

        var done = await GuardedAsync(computer, () => command switch
        {
            ComputerCommand.Stop => StopAsync(computer, record, id),
            ComputerCommand.Delete => DeleteAsync(computer, record, id),
            ComputerCommand.Restore => RestoreAsync(computer, record, id, subject!),
            ComputerCommand.Suspend => SuspendAsync(computer, record, id),
            _ when resumes => ResumeAsync(computer, record, id),
            _ => StartAsync(computer, record, id),
        });
        if (!done.Succeeded && computer.State.Status.IsTransitional())
        {
            done = await ErrorAsync(computer, computer.State.Record, id, done.Failure);
        }

        WatchAgain(computer);
        if (!done.Succeeded)
        {
            Failed(log, record.InstanceId, kind, done.Failure.Message);
        }

        return done;
    }

    /// <summary>The watch holds back while a transition is under way, which tells its own story; a machine that died meanwhile and is kept needs it again.</summary>
    private void WatchAgain(Computer computer)
    {
        if (computer.State is { Status: ComputerStatus.Running or ComputerStatus.Suspended, Session: { Machine.Completion.IsCompleted: true } session })
        {
            watch.Watch(computer, session);
        }
    }

    /// <summary>Ends the machine that may still run, and launches anew from the disk.</summary>
    internal async Task<Outcome<Computer>> StartAsync(Computer computer, ComputerRecord record, Guid? id)
    {
        var ended = await EndMachineAsync(computer, settings.StopGrace);
        if (!ended.Succeeded)
        {
            return await ErrorAsync(computer, record, id, ended.Failure);
        }

        computer.Set(record, null);
        var up = await BroughtUpAsync(computer, () => bringUp.RunAsync(record, machine => machine.StopAsync(TimeSpan.Zero, CancellationToken.None)));
        if (up.Failure is not { } failure)
        {
            return await RunningAsync(computer, record, up.Session!, id);
        }

        // A machine that will not go is kept in sight: whatever is asked next begins by ending it.
        var status = up.Session is null ? ComputerStatus.Stopped : ComputerStatus.Error;
        await EndedAsync(computer, record.With(status, $"It could not be started: {failure.Message}"), up.Session, id, failure);
        return failure;
    }

    internal async Task<Outcome<Computer>> StopAsync(Computer computer, ComputerRecord record, Guid? id)
    {
        var ended = await EndMachineAsync(computer, settings.StopGrace);
        if (!ended.Succeeded)
        {
            return await ErrorAsync(computer, record, id, ended.Failure);
        }

        await EndedAsync(computer, record.With(ComputerStatus.Stopped, record.StatusReason), null, id, null);
        return computer;
    }

    /// <summary>
    /// Ends the machine, exchanges the disk, and launches again where it ran. Each step can be taken once more, so recovery takes them all.
    /// </summary>
    internal async Task<Outcome<Computer>> RestoreAsync(Computer computer, ComputerRecord record, Guid? id, string snapshot)
    {
        var ended = await EndMachineAsync(computer, TimeSpan.Zero); // What it would still write is about to be replaced.
        if (!ended.Succeeded)
        {
            return await ErrorAsync(computer, record, id, ended.Failure);
        }

        computer.Set(record, null);
        var restored = await GuardedAsync(computer, async () =>
        {
            if (await snapshots.FindAsync(snapshot) is not { } row)
            {
                return new Failure(ErrorCodes.NotFound, $"Snapshot {snapshot} was deleted meanwhile.");
            }

            var done = await host.RestoreSnapshotAsync(record.InstanceId, row.Id, CancellationToken.None);
            if (done.Succeeded)
            {
                await deliveries.ForgetDeliveriesAsync(computer.Id, DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt));
            }

            return done;
        });
        if (!restored.Succeeded)
        {
            await EndedAsync(
                computer, record.With(ComputerStatus.Stopped, $"A snapshot could not be restored: {restored.Failure.Message}"), null, id, restored.Failure);
            return restored.Failure;
        }

        if (record.Status == ComputerStatus.Restarting)
        {
            return await StartAsync(computer, record, id);
        }

        await EndedAsync(computer, record.With(ComputerStatus.Stopped), null, id, null);
        return computer;
    }

    /// <summary>Holds a computer still with all its memory. Its session ends, so that nothing waits for it.</summary>
    internal async Task<Outcome<Computer>> SuspendAsync(Computer computer, ComputerRecord record, Guid? id)
    {
        if (computer.State.Session is not { } going)
        {
            return await GoneAsync(computer, record, id);
        }

        var machine = going.Machine;
        going.Dispose();
        await recordings.AfterEndAsync(computer);
        var paused = await GuardedAsync(computer, () => machine.PauseAsync(CancellationToken.None));
        var session = new MachineSession(machine);
        if (paused.Succeeded)
        {
            await EndedAsync(computer, record.With(ComputerStatus.Suspended), session, id, null);
            watch.Watch(computer, session);
            return computer;
        }

        // It may be held still all the same, or half of it.
        var resumed = await GuardedAsync(computer, () => machine.ResumeAsync(CancellationToken.None));
        if (!resumed.Succeeded)
        {
            await EndedAsync(computer, record.With(ComputerStatus.Error, resumed.Failure.Message), session, id, paused.Failure);
            return paused.Failure;
        }

        await RunningAsync(computer, record, session, id, paused.Failure);
        return paused.Failure;
    }

    /// <summary>Its machine ended by itself before the turn of what was asked for.</summary>
    private async Task<Outcome<Computer>> GoneAsync(Computer computer, ComputerRecord record, Guid? id)
    {
        var gone = new Failure(ErrorCodes.NotRunning, $"The machine of computer {record.Name} ended by itself.", "Start it.");
        await EndedAsync(computer, record.With(ComputerStatus.Stopped, "Its machine ended by itself."), null, id, gone);
        return gone;
    }

    private async Task<Outcome<Computer>> ResumeAsync(Computer computer, ComputerRecord record, Guid id)
    {
        if (computer.State.Session is not { } session)
        {
            return await GoneAsync(computer, record, id);
        }

        var resumed = await GuardedAsync(computer, () => session.Machine.ResumeAsync(CancellationToken.None));
        if (resumed.Succeeded)
        {
            return await RunningAsync(computer, record, session, id);
        }

        // It may run all the same, or half of it.
        var paused = await GuardedAsync(computer, () => session.Machine.PauseAsync(CancellationToken.None));
        var status = paused.Succeeded ? ComputerStatus.Suspended : ComputerStatus.Error;
        await EndedAsync(computer, record.With(status, $"It could not be resumed: {resumed.Failure.Message}"), session, id, resumed.Failure);
        return resumed.Failure;
    }

    private async Task<Outcome<Computer>> DeleteAsync(Computer computer, ComputerRecord record, Guid id)
    {
        var session = computer.State.Session;
        session?.Dispose();
        var gone = await GuardedAsync(computer, async () =>
        {
            // The disk last: a computer whose deletion failed has it still, and one without it is never offered again.
            var destroyed = await snapshotKeeping.DeleteAllAsync(computer.Id);
            if (destroyed.Succeeded)
            {
                destroyed = session is null
                    ? await host.DeleteDiskAsync(record.InstanceId, CancellationToken.None)
                    : await session.Machine.DestroyAsync(CancellationToken.None);
            }

            if (destroyed.Succeeded)
            {
                screenshots.DeleteAll(record.InstanceId);
                await recordings.DeleteAllAsync(computer);
                await sure.RunAsync(() => store.DeleteAsync(computer.Id, id));
            }

            return destroyed;
        });
        if (!gone.Succeeded)
        {
            return await ErrorAsync(computer, record, id, gone.Failure);
        }

        registry.Remove(computer);
        Deleted(log, record.InstanceId);
        return computer;
    }

    private async Task<Outcome<bool>> EndMachineAsync(Computer computer, TimeSpan grace)
    {
        if (computer.State.Session is not { } session)
        {
            return true;
        }

        // A suspended one has to run to end well. Where this fails, the machine has ended already or the stop will fail as well.
        _ = await GuardedAsync(computer, () => session.Machine.ResumeAsync(CancellationToken.None));
        await recordings.BeforeStopAsync(computer);
        session.Dispose();
        await recordings.AfterEndAsync(computer);
        return await GuardedAsync(computer, () => session.Machine.StopAsync(grace, CancellationToken.None));
    }

    private async Task<Outcome<Computer>> RunningAsync(Computer computer, ComputerRecord record, MachineSession session, Guid? id, Failure? failure = null)
    {
        await EndedAsync(computer, record.With(ComputerStatus.Running), session, id, failure);
        watch.Watch(computer, session);
        recordings.Resume(computer, session);
        files.Begin(computer);
        return computer;
    }

    private async Task<Outcome<Computer>> ErrorAsync(Computer computer, ComputerRecord record, Guid? id, Failure failure)
    {
        await EndedAsync(computer, record.With(ComputerStatus.Error, failure.Message), computer.State.Session, id, failure);
        return failure;
    }

    /// <summary>First the database, then memory: a client never sees what a crash could take back.</summary>
    private async Task EndedAsync(Computer computer, ComputerRecord record, MachineSession? session, Guid? id, Failure? failure)
    {
        var written = await GuardedAsync(computer, async () =>
        {
            await sure.RunAsync(() => store.EndAsync(record, id, failure?.Message));
            return (Outcome<bool>)true;
        });

        // The world has changed even where the database could not be told; recovery compares the two at the next start.
        computer.Set(written.Succeeded ? record : record with { StatusReason = written.Failure.Message }, session);
    }

    private Task<Outcome<T>> GuardedAsync<T>(Computer computer, Func<Task<Outcome<T>>> work) => guard.RunAsync(computer.State.Record.InstanceId, work);

    /// <summary>What an operation of this command is called.</summary>
    public static string KindOf(ComputerCommand command) => command == ComputerCommand.EnsureRunning ? "start" : command.ToString().ToLowerInvariant();

    public ComputerSecrets NewSecrets() => new(ids.NewSecret(16), ids.NewSecret(8));

    [LoggerMessage(1210, LogLevel.Warning, "Computer {Instance}: {Kind} failed: {Why}")]
    private static partial void Failed(ILogger log, string instance, string kind, string why);

    [LoggerMessage(1211, LogLevel.Information, "Computer {Instance}: deleted")]
    private static partial void Deleted(ILogger log, string instance);
}
