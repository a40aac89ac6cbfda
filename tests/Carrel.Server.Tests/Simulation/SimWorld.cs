using Carrel.Contracts;
using Carrel.Machines;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Carrel.Server.Tests.Simulation;

/// <summary>What a step comes to.</summary>
internal enum Fault
{
    None,

    /// <summary>Nothing was done.</summary>
    Fails,

    /// <summary>Nothing was done, and there was a bug.</summary>
    Throws,

    /// <summary>It was done, but says that it failed; a commit is taken back. What promises to leave nothing behind leaves nothing.</summary>
    FailsLate,
}

/// <summary>A disk: what it was made of, and what stands on it by now.</summary>
internal sealed record SimDisk(string Made, string Content);

/// <summary>What outlives the servers: the state, the machines, the disks, the snapshots.</summary>
internal sealed class SimWorld : IDisposable
{
    private bool _refusesCommit;
    private int _contents;

    public SimWorld(SqliteConnection template, SimClock clock, Pump pump)
    {
        (Clock, Pump) = (clock, pump);
        State = new SqliteConnection("Data Source=:memory:;Foreign Keys=True");
        State.Open();
        template.BackupDatabase(State);
        raw.sqlite3_commit_hook(State.Handle, _ => Interlocked.Exchange(ref _refusesCommit, false) ? 1 : 0, null);
    }

    public SqliteConnection State { get; }

    public SimClock Clock { get; }

    public Pump Pump { get; }

    public Dictionary<string, SimMachine> Machines { get; } = [];

    public Dictionary<string, SimDisk> Disks { get; } = [];

    /// <summary>All that ever stood on a disk.</summary>
    public Dictionary<string, HashSet<string>> Contents { get; } = [];

    public Dictionary<string, string> Snapshots { get; } = [];

    /// <summary>How the next machine's desktop comes up.</summary>
    public Greeting NextGreeting { get; set; }

    public void RefuseCommit() => _refusesCommit = true;

    public string NewContent() => $"c{++_contents}";

    public void Put(string id, SimDisk disk)
    {
        Disks[id] = disk;
        if (!Contents.TryGetValue(id, out var all))
        {
            Contents[id] = all = [];
        }

        all.Add(disk.Content);
    }

    public void Dispose() => State.Dispose();
}

/// <summary>A machine; each of its steps waits until the simulation chooses it.</summary>
internal sealed class SimMachine(SimWorld world, MachineSpec spec, Greeting greeting) : IMachine
{
    private readonly TaskCompletionSource<MachineExit> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MachineLimits _limits = spec.Limits with { Cpus = null };
    private int _greeting = 1;

    public string Id => spec.Id;

    public Greeting Greeting => greeting;

    public bool IsPaused { get; private set; }

    public bool IsLive => !_completion.Task.IsCompleted;

    public Task<MachineExit> Completion => _completion.Task;

    /// <summary>The server that has it now.</summary>
    public SimServer Server { get; set; } = null!;

    public ValueTask<Stream> ConnectAsync(MachineService service, CancellationToken cancellationToken) =>
        IsLive ? new(new SimDesk(this)) : throw new IOException("connection refused");

    public Task<Outcome<bool>> PauseAsync(CancellationToken cancellationToken) => TakeAsync("pause", () => IsPaused = true);

    public Task<Outcome<bool>> ResumeAsync(CancellationToken cancellationToken) => TakeAsync("resume", () => IsPaused = false);

    public Task<Outcome<bool>> StopAsync(TimeSpan grace, CancellationToken cancellationToken) => TakeAsync("stop", Leave);

    /// <summary>The disk goes last: where this fails late, it is there.</summary>
    public async Task<Outcome<bool>> DestroyAsync(CancellationToken cancellationToken)
    {
        var left = await TakeAsync("destroy", Leave);
        if (left.Succeeded)
        {
            world.Disks.Remove(Id);
        }

        return left;
    }

    public Task<Outcome<bool>> ResizeAsync(MachineLimits limits, CancellationToken cancellationToken) => TakeAsync("resize", isWhole: true, effect: () => _limits = new MachineLimits(
        limits.Cpus ?? _limits.Cpus, limits.MemoryBytes ?? _limits.MemoryBytes, limits.DiskBytes ?? _limits.DiskBytes, limits.Processes ?? _limits.Processes,
        limits.BandwidthMbps ?? _limits.BandwidthMbps));

    public MachineLimits ReadLimits() => _limits;

    public ValueTask<MachineStats> ReadStatsAsync(CancellationToken cancellationToken) => new(new MachineStats(TimeSpan.Zero, 0, 0, 0));

    /// <summary>Dies by itself; what it holds on the host stays until somebody releases it.</summary>
    public void Die() => _completion.TrySetResult(new MachineExit(137, false));

    private void Leave()
    {
        if (world.Machines.GetValueOrDefault(Id) == this)
        {
            world.Machines.Remove(Id);
        }

        _completion.TrySetResult(new MachineExit(0, false));
    }

    private async Task<Outcome<bool>> TakeAsync(string step, Action effect, bool isWhole = false)
    {
        // Its greeting is over when the first of these is called.
        if (Interlocked.Exchange(ref _greeting, 0) == 1)
        {
            world.Pump.Came();
        }

        var fault = await Server.ComeToAsync(step, Id);
        if (fault == Fault.Throws)
        {
            throw new InvalidOperationException($"a bug at {step}");
        }

        if (fault == Fault.None || fault == Fault.FailsLate && !isWhole)
        {
            effect();
        }

        return fault == Fault.None ? true : new Failure(ErrorCodes.Internal, $"{step} failed");
    }
}

/// <summary>The machine host of one server.</summary>
internal sealed class SimHost(SimWorld world, SimServer server) : IMachineHost
{
    public MachineCapabilities Capabilities => new("container", MemorySnapshots: false, LiveMemoryGrowth: false, PauseKeepsMemory: true);

    public async Task<Outcome<IMachine>> LaunchAsync(MachineSpec spec, MachineSource source, CancellationToken cancellationToken)
    {
        if (await DidNotAsync("launch", spec.Id) is { } failure)
        {
            return failure;
        }

        if (world.Machines.ContainsKey(spec.Id))
        {
            throw new InvalidOperationException($"machine {spec.Id} runs already");
        }

        if (!world.Disks.ContainsKey(spec.Id))
        {
            var empty = world.NewContent();
            world.Put(spec.Id, new SimDisk(empty, empty));
        }

        world.Pump.Expect();
        var machine = new SimMachine(world, spec, world.NextGreeting) { Server = server };
        world.NextGreeting = Greeting.Well;
        world.Machines[spec.Id] = machine;
        return machine;
    }

    public Task<IReadOnlyList<IMachine>> RecoverAsync(
        IReadOnlySet<string> knownIds, IReadOnlySet<string> knownSnapshots, CancellationToken cancellationToken)
    {
        foreach (var id in world.Disks.Keys.Where(id => !knownIds.Contains(id)).ToList())
        {
            world.Disks.Remove(id);
        }

        foreach (var id in world.Snapshots.Keys.Where(id => !knownSnapshots.Contains(id)).ToList())
        {
            world.Snapshots.Remove(id);
        }

        foreach (var machine in world.Machines.Values.Where(machine => !knownIds.Contains(machine.Id) || !machine.IsLive).ToList())
        {
            world.Machines.Remove(machine.Id);
            machine.Die();
        }

        foreach (var machine in world.Machines.Values)
        {
            machine.Server = server;
        }

        return Task.FromResult<IReadOnlyList<IMachine>>([.. world.Machines.Values]);
    }

    public async Task<Outcome<bool>> DeleteDiskAsync(string machineId, CancellationToken cancellationToken)
    {
        var fault = await server.ComeToAsync("disk", machineId);
        ThrowIf(fault, "disk");
        var there = fault == Fault.None && world.Disks.Remove(machineId);
        return fault == Fault.None ? there : new Failure(ErrorCodes.Internal, "disk failed");
    }

    public Task<Outcome<DiskCopy>> CloneDiskAsync(string machineId, string newMachineId, CancellationToken cancellationToken) => CopyAsync(
        "clone", machineId, () => world.Disks.GetValueOrDefault(machineId)?.Content, content => world.Put(newMachineId, new SimDisk(content, content)));

    public Task<Outcome<DiskCopy>> TakeSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken) => CopyAsync(
        "snapshot", machineId, () => world.Disks.GetValueOrDefault(machineId)?.Content, content => world.Snapshots[snapshotId] = content);

    public Task<Outcome<DiskCopy>> DiskFromSnapshotAsync(string snapshotId, string newMachineId, CancellationToken cancellationToken) => CopyAsync(
        "unpack", newMachineId, () => world.Snapshots.GetValueOrDefault(snapshotId), content => world.Put(newMachineId, new SimDisk(content, content)));

    public async Task<Outcome<bool>> RestoreSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken)
    {
        if (world.Machines.TryGetValue(machineId, out var machine) && machine.IsLive)
        {
            throw new InvalidOperationException($"the disk of {machineId} is exchanged under a machine that runs");
        }

        var restored = await CopyAsync(
            "restore", machineId, () => world.Snapshots.GetValueOrDefault(snapshotId), content => world.Put(machineId, new SimDisk(content, content)));
        return restored.Succeeded ? true : restored.Failure;
    }

    public async Task<Outcome<bool>> DeleteSnapshotAsync(string snapshotId, CancellationToken cancellationToken)
    {
        var fault = await server.ComeToAsync("unsnapshot", snapshotId);
        ThrowIf(fault, "unsnapshot");
        var there = fault != Fault.Fails && world.Snapshots.Remove(snapshotId);
        return fault == Fault.None ? there : new Failure(ErrorCodes.Internal, "unsnapshot failed");
    }

    public ValueTask DisposeAsync() => default;

    private async Task<Outcome<DiskCopy>> CopyAsync(string step, string id, Func<string?> content, Action<string> make)
    {
        if (await DidNotAsync(step, id) is { } failure)
        {
            return failure;
        }

        if (content() is not { } copied)
        {
            return new Failure(ErrorCodes.NotClonable, "no disk");
        }

        make(copied);
        return new DiskCopy(TimeSpan.FromMilliseconds(12.3), "digest", 8L << 30, 1 << 20);
    }

    /// <summary>What promises that a failure leaves nothing behind.</summary>
    private async Task<Failure?> DidNotAsync(string step, string id)
    {
        var fault = await server.ComeToAsync(step, id);
        ThrowIf(fault, step);
        return fault == Fault.None ? null : new Failure(ErrorCodes.Internal, $"{step} failed");
    }

    private static void ThrowIf(Fault fault, string step)
    {
        if (fault == Fault.Throws)
        {
            throw new InvalidOperationException($"a bug at {step}");
        }
    }
}
