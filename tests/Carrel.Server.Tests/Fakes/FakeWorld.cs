using System.Collections.Concurrent;
using Carrel.Contracts;
using Carrel.Machines;

namespace Carrel.Server.Tests.Fakes;

/// <summary>What would be on the host: machines and disks. It outlives the servers that come and go on it.</summary>
internal sealed class FakeWorld : IAsyncDisposable
{
    private readonly FakeDeskd _deskd = new();

    public ConcurrentDictionary<string, FakeMachine> Machines { get; } = new();

    public ConcurrentDictionary<string, bool> Disks { get; } = new();

    public ConcurrentDictionary<string, string> Snapshots { get; } = new();

    public ConcurrentQueue<(string Machine, string Snapshot)> Restored { get; } = new();

    /// <summary>Every step taken, in order, as <c>launch</c> or <c>launch:done</c>, with the machine's id.</summary>
    public ConcurrentQueue<(string Step, string Id)> Steps { get; } = new();

    /// <summary>Runs at each step: a test waits here, hangs here, or throws here.</summary>
    public Func<string, string, Task> At { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What the step fails with, or null.</summary>
    public Func<string, string, Failure?> Fails { get; set; } = (_, _) => null;

    /// <summary>Prepares each machine before it is used.</summary>
    public Action<FakeMachine> Made { get; set; } = _ => { };

    public bool PauseKeepsMemory { get; set; } = true;

    public FakeDeskd Deskd => _deskd;

    public async Task<Failure?> StepAsync(string step, string id)
    {
        Steps.Enqueue((step, id));
        await At(step, id);
        return Fails(step, id);
    }

    public ValueTask DisposeAsync() => _deskd.DisposeAsync();
}

/// <summary>A host whose machines are objects.</summary>
internal sealed class FakeHost(FakeWorld world) : IMachineHost
{
    public MachineCapabilities Capabilities => new("container", MemorySnapshots: false, LiveMemoryGrowth: false, world.PauseKeepsMemory);

    public async Task<Outcome<IMachine>> LaunchAsync(MachineSpec spec, MachineSource source, CancellationToken cancellationToken)
    {
        if (await world.StepAsync("launch", spec.Id) is { } failure)
        {
            return failure;
        }

        if (world.Machines.ContainsKey(spec.Id))
        {
            throw new InvalidOperationException($"machine {spec.Id} runs already");
        }

        world.Disks[spec.Id] = true;
        var machine = new FakeMachine(world, spec);
        world.Made(machine);
        world.Machines[spec.Id] = machine;
        return await world.StepAsync("launch:done", spec.Id) is { } late ? late : machine;
    }

    public Task<IReadOnlyList<IMachine>> RecoverAsync(
        IReadOnlySet<string> knownIds, IReadOnlySet<string> knownSnapshots, CancellationToken cancellationToken)
    {
        foreach (var id in world.Disks.Keys.Where(id => !knownIds.Contains(id)))
        {
            world.Disks.TryRemove(id, out _);
        }

        foreach (var id in world.Snapshots.Keys.Where(id => !knownSnapshots.Contains(id)))
        {
            world.Snapshots.TryRemove(id, out _);
        }

        foreach (var machine in world.Machines.Values.Where(machine => !knownIds.Contains(machine.Id) || machine.Completion.IsCompleted))
        {
            world.Machines.TryRemove(machine.Id, out _);
            machine.End(new MachineExit(137, false));
        }

        return Task.FromResult<IReadOnlyList<IMachine>>([.. world.Machines.Values]);
    }

    public async Task<Outcome<bool>> DeleteDiskAsync(string machineId, CancellationToken cancellationToken)
    {
        if (await world.StepAsync("disk", machineId) is { } failure)
        {
            return failure;
        }

        var there = world.Disks.TryRemove(machineId, out _);
        return await world.StepAsync("disk:done", machineId) is { } late ? late : there;
    }

    public Task<Outcome<DiskCopy>> CloneDiskAsync(string machineId, string newMachineId, CancellationToken cancellationToken) =>
        CopyAsync("clone", machineId, world.Disks.ContainsKey(machineId), () => world.Disks[newMachineId] = true);

    public Task<Outcome<DiskCopy>> TakeSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken) =>
        CopyAsync("snapshot", machineId, world.Disks.ContainsKey(machineId), () => world.Snapshots[snapshotId] = machineId);

    public Task<Outcome<DiskCopy>> DiskFromSnapshotAsync(string snapshotId, string newMachineId, CancellationToken cancellationToken) =>
        CopyAsync("unpack", newMachineId, world.Snapshots.ContainsKey(snapshotId), () => world.Disks[newMachineId] = true);

    public async Task<Outcome<bool>> RestoreSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken)
    {
        var restored = await CopyAsync("restore", machineId, world.Snapshots.ContainsKey(snapshotId), () => world.Restored.Enqueue((machineId, snapshotId)));
        return restored.Succeeded ? true : restored.Failure;
    }

    public async Task<Outcome<bool>> DeleteSnapshotAsync(string snapshotId, CancellationToken cancellationToken)
    {
        if (await world.StepAsync("unsnapshot", snapshotId) is { } failure)
        {
            return failure;
        }

        var there = world.Snapshots.TryRemove(snapshotId, out _);
        return await world.StepAsync("unsnapshot:done", snapshotId) is { } late ? late : there;
    }

    public ValueTask DisposeAsync() => default;

    private async Task<Outcome<DiskCopy>> CopyAsync(string step, string id, bool possible, Action make)
    {
        if (await world.StepAsync(step, id) is { } failure)
        {
            return failure;
        }

        if (!possible)
        {
            return new Failure(ErrorCodes.NotClonable, "no disk");
        }

        make();
        return await world.StepAsync(step + ":done", id) is { } late ? late : new DiskCopy(TimeSpan.FromMilliseconds(12.3), "digest", 8L << 30, 1 << 20);
    }
}

/// <summary>A step that waits until a test opens it.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Reached => _reached.Task;

    public void Open() => _open.TrySetResult();

    public Task PassAsync()
    {
        _reached.TrySetResult();
        return _open.Task;
    }
}

internal static class FakeWorldExtensions
{
    /// <summary>From now on whoever comes to <paramref name="step"/> waits for the gate.</summary>
    public static Gate HoldAt(this FakeWorld world, string step)
    {
        var gate = new Gate();
        world.At = (at, _) => at == step ? gate.PassAsync() : Task.CompletedTask;
        return gate;
    }

    /// <summary>Waits until <paramref name="step"/> was taken for a machine.</summary>
    public static async Task UntilAsync(this FakeWorld world, string step, string id)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        world.At = (at, of) =>
        {
            if (at == step && of == id)
            {
                taken.TrySetResult();
            }

            return Task.CompletedTask;
        };
        if (!world.Steps.Contains((step, id)))
        {
            await taken.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }
    }
}
