using Carrel.Server.Computers;
using Carrel.Server.Snapshots;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Tests.Simulation;

/// <summary>Whether the database, the memory of the server, the world and what clients were told agree.</summary>
internal sealed class Verdict(
    SimWorld world, SimServer server, IReadOnlyList<Task> asked, Told told,
    IReadOnlyDictionary<string, (SimMachine Machine, MachineSession Session)> quiet, IReadOnlySet<string> untouched)
{
    private readonly ComputerRegistry _registry = server.Get<ComputerRegistry>();

    // All of it is in memory, so nothing of this ever waits.
    private readonly IReadOnlyList<ComputerRecord> _rows = server.Get<ComputerStore>().AllAsync().GetAwaiter().GetResult();

    public IEnumerable<string> Wrong() =>
        [.. told.Lies, .. Open(), .. Rows(), .. Machines(), .. World(), .. Answers(), .. Untouched()];

    private IEnumerable<string> Open()
    {
        if (!server.Booted.IsCompletedSuccessfully)
        {
            yield return $"the server does not start: {server.Booted.Exception?.InnerException}";
        }

        var waiting = asked.Count(task => !task.IsCompleted);
        if (waiting > 0)
        {
            yield return $"{waiting} clients have no answer yet";
        }

        foreach (var operation in server.Get<ComputerStore>().UnfinishedAsync().GetAwaiter().GetResult())
        {
            yield return $"operation {operation.Kind} of {operation.ComputerId} is still {operation.Status}";
        }

        foreach (var id in server.Get<WorkspaceStore>().DeletingAsync().GetAwaiter().GetResult())
        {
            yield return $"workspace {id} is still being deleted";
        }
    }

    private IEnumerable<string> Rows()
    {
        foreach (var row in _rows)
        {
            if (_registry.Find(row.Id) is not { } computer)
            {
                yield return $"{row.InstanceId} is in the database ({row.Status}) and not in memory";
                continue;
            }

            var now = computer.State.Record;
            if ((row.Status, row.Name, row.WorkspaceId, row.WorkspaceName, row.Hardware, row.BandwidthMbps)
                != (now.Status, now.Name, now.WorkspaceId, now.WorkspaceName, now.Hardware, now.BandwidthMbps))
            {
                yield return $"{row.InstanceId} is in the database {row}, and in memory {now}";
            }
        }

        foreach (var computer in _registry.All.Where(computer => _rows.All(row => row.Id != computer.Id)))
        {
            yield return $"{computer.State.Record.InstanceId} is in memory ({computer.State.Status}) and not in the database";
        }

        foreach (var same in _registry.All.GroupBy(computer => (computer.State.Record.WorkspaceId, computer.State.Record.Name)).Where(group => group.Count() > 1))
        {
            yield return $"{same.Count()} computers are named {same.Key.Name} in {same.Key.WorkspaceId}";
        }
    }

    private IEnumerable<string> Machines()
    {
        foreach (var computer in _registry.All)
        {
            var (record, session) = (computer.State.Record, computer.State.Session);
            var machine = world.Machines.GetValueOrDefault(record.InstanceId);
            var fits = record.Status switch
            {
                ComputerStatus.Running => machine is { IsLive: true, IsPaused: false } && session?.Machine == machine && !session.Ended.IsCancellationRequested,
                ComputerStatus.Suspended => machine is { IsLive: true, IsPaused: true } && session?.Machine == machine,
                ComputerStatus.Stopped => machine is null && session is null,
                ComputerStatus.Error => machine is null || session?.Machine == machine,
                _ => false,
            };
            if (!fits)
            {
                yield return $"{record.InstanceId} is {record.Status} ({record.StatusReason}), and its machine {Looks(machine)}; its session {(session is null ? "none" : session.Machine == machine ? "that machine's" : "another's")}";
            }

            if (record.Status == ComputerStatus.Running && machine is not null && machine.ReadLimits() is var limits
                && (limits.Cpus, limits.MemoryBytes >> 30, limits.BandwidthMbps) != (record.Hardware.Cpu, record.Hardware.RamGb, record.BandwidthMbps))
            {
                yield return $"{record.InstanceId} is said to have {record.Hardware}, and has {limits}";
            }
        }
    }

    private static string Looks(SimMachine? machine) => machine is null ? "is none" : !machine.IsLive ? "is dead" : machine.IsPaused ? "is paused" : "runs";

    private IEnumerable<string> World()
    {
        var instances = _rows.Select(row => row.InstanceId).ToHashSet();
        foreach (var id in world.Machines.Keys.Where(id => !instances.Contains(id)))
        {
            yield return $"machine {id} belongs to no computer";
        }

        foreach (var id in world.Disks.Keys.Where(id => !instances.Contains(id)))
        {
            yield return $"disk {id} belongs to no computer";
        }

        var snapshots = server.Get<SnapshotStore>().AllAsync().GetAwaiter().GetResult();
        foreach (var id in world.Snapshots.Keys.Where(id => snapshots.All(row => row.Id != id)))
        {
            yield return $"snapshot {id} belongs to nobody";
        }

        foreach (var row in snapshots.Where(row => row.Status == SnapshotRow.Ready && !world.Snapshots.ContainsKey(row.Id)))
        {
            yield return $"snapshot {row.Id} is {row.Status} and not there";
        }
    }

    private IEnumerable<string> Answers()
    {
        foreach (var id in told.There.Where(id => !told.MayBeGone(id) && _registry.Find(id) is null))
        {
            yield return $"{id} was created and never deleted, and is gone";
        }

        foreach (var (id, instance) in told.Gone.Where(gone => _registry.Find(gone.Id) is not null || _rows.Any(row => row.Id == gone.Id) || world.Disks.ContainsKey(gone.Instance)))
        {
            yield return $"{id} ({instance}) was deleted, and is there";
        }

        foreach (var row in _rows.Where(row => told.GoneWorkspaces.Contains(row.WorkspaceId)))
        {
            yield return $"{row.InstanceId} is in a workspace that was deleted";
        }

        foreach (var row in _rows.Where(row => row.Status is ComputerStatus.Running or ComputerStatus.Suspended or ComputerStatus.Stopped && !world.Disks.ContainsKey(row.InstanceId)))
        {
            yield return $"{row.InstanceId} is {row.Status} and has no disk";
        }
    }

    private IEnumerable<string> Untouched()
    {
        foreach (var id in untouched)
        {
            var (machine, session) = quiet[id];
            var now = _registry.Find(id)?.State;
            if (now is not { Status: ComputerStatus.Running } || now.Session!.Machine != machine || now.Session.Ended.IsCancellationRequested)
            {
                yield return $"{id}, which nobody touched, is {now?.Status} with another machine or a session that ended";
            }

            if (session.Machine == machine && now?.Session == session && session.Ended.IsCancellationRequested)
            {
                yield return $"the session of {id}, which nobody touched, has ended";
            }
        }
    }
}
