using System.Globalization;
using Carrel.Contracts;
using Carrel.Server.Clones;
using Carrel.Server.Computers;
using Carrel.Server.Hosting;
using Carrel.Server.Sizes;
using Carrel.Server.Snapshots;
using Carrel.Server.Workspaces;
using Microsoft.Data.Sqlite;

namespace Carrel.Server.Tests.Simulation;

/// <summary>
/// One history drawn from a seed: clients that ask for things, a host whose steps fail, throw or take long, machines that die, a database that
/// is busy or takes a commit back, a clock that jumps, servers that are killed. Each turn is one choice, after which everything runs until it
/// waits again; so the same seed is the same history.
/// </summary>
internal sealed class Simulation : IDisposable
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(60);

    private const int MostTurns = 20_000;

    private readonly Dice _dice;
    private readonly SimClock _clock = new();
    private readonly Pump _pump = new();
    private readonly SimWorld _world;
    private readonly Settings _settings;
    private readonly DataFolder _folder;
    private readonly SimIds _ids;
    private readonly int _clients;
    private readonly int _faults;
    private readonly int _kills;
    private readonly List<Task> _asked = [];
    private readonly HashSet<string> _untouched = [];
    private readonly Dictionary<string, (SimMachine Machine, MachineSession Session)> _quiet = [];
    private readonly Told _told = new();
    private SimServer _server;
    private int _left;

    public Simulation(ulong seed, SqliteConnection template, Settings settings, DataFolder folder)
    {
        (_settings, _folder) = (settings, folder);
        _dice = new Dice(seed);
        _ids = new SimIds(new Dice(seed + (1UL << 32)));
        _world = new SimWorld(template, _clock, _pump);
        _left = 30 + _dice.Below(51);
        _clients = 2 + _dice.Below(4);
        _faults = _dice.Of([0, 3, 10, 25]);
        _kills = _dice.Of([0, 1, 3]);
        _server = NewServer();
    }

    public List<string> History { get; } = [];

    /// <returns>What does not hold.</returns>
    public IReadOnlyList<string> Run()
    {
        Boot();
        MakeUntouched();
        for (var turns = 0; _left > 0 || _asked.Exists(task => !task.IsCompleted); turns++)
        {
            if (turns > MostTurns)
            {
                throw new InvalidOperationException($"{_asked.Count(task => !task.IsCompleted)} clients never get their answers");
            }

            Turn();
        }

        Note("the faults end");
        if (_server.Booted.IsFaulted)
        {
            Restart();
        }

        Settle();
        var wrong = Judge("after a minute").ToList();
        _server.Kill();
        Restart();
        Settle();
        return [.. wrong, .. Judge("after one more restart")];
    }

    public void Dispose() => _world.Dispose();

    private void MakeUntouched()
    {
        foreach (var name in (string[])["quiet-1", "quiet-2"])
        {
            Ask($"create {name}", () => CreateAsync(Workspaces().First(), name));
            Settle();
        }

        foreach (var computer in _server.Get<ComputerRegistry>().All)
        {
            _untouched.Add(computer.Id);
        }

        RememberQuiet();
    }

    private void RememberQuiet()
    {
        foreach (var id in _untouched)
        {
            var session = _server.Get<ComputerRegistry>().Find(id)?.State.Session;
            if (session is not null)
            {
                _quiet[id] = ((SimMachine)session.Machine, session);
            }
        }
    }

    private SimServer NewServer() => new(_world, _settings, _folder, _ids);

    private void Boot()
    {
        _server.Boot();
        _pump.Drain();
    }

    private void Restart()
    {
        _server = NewServer();
        Boot();
    }

    /// <summary>One choice, and all that comes of it.</summary>
    private void Turn()
    {
        if (_server.Booted.IsFaulted)
        {
            Note($"the server could not start: {_server.Booted.Exception!.InnerException!.Message}");
            _server.Kill();
            _asked.Clear();
            Restart();
            return;
        }

        var open = _asked.Count(task => !task.IsCompleted);
        var ready = _server.Waiting.Where(waiting => waiting.NotBefore <= _clock.Now).ToList();
        var chance = _dice.Below(1000);
        if (chance < _kills * 3)
        {
            Note("kill -9");
            _server.Kill();
            _asked.Clear();
            Restart();
        }
        else if (chance < 12)
        {
            _clock.Jumped += _dice.Percent(50) ? TimeSpan.FromHours(1) : TimeSpan.FromHours(-1);
            Note($"the clock jumps, now by {_clock.Jumped}");
        }
        else if (chance < 12 + _faults && Killable() is { Count: > 0 } machines)
        {
            var machine = _dice.Of(machines);
            Note($"machine {machine.Id} dies");
            machine.Die();
        }
        else if (_left > 0 && open < _clients && _server.Booted.IsCompleted && _dice.Percent(40))
        {
            _left--;
            AskSomething();
        }
        else if (ready.Count > 0)
        {
            Take(_dice.Of(ready));
        }
        else
        {
            GoOn(TimeSpan.MaxValue);
        }

        _pump.Drain();
        if (_server.Booted.IsCompletedSuccessfully && _quiet.Count > 0)
        {
            NoteNewSessions();
        }
    }

    // A new server has new sessions of the same machines; from then on they are not to end either.
    private void NoteNewSessions()
    {
        if (_server != _remembered)
        {
            _remembered = _server;
            RememberQuiet();
        }
    }

    private SimServer? _remembered;

    private List<SimMachine> Killable() =>
        [.. _world.Machines.Values.Where(machine => machine.IsLive && !_quiet.Values.Any(quiet => quiet.Machine == machine)).OrderBy(machine => machine.Id, StringComparer.Ordinal)];

    private void Take(Waiting waiting)
    {
        var fault = Fault.None;
        if (_dice.Percent(_faults))
        {
            switch (_dice.Below(5))
            {
                case 0:
                    waiting.NotBefore = _clock.Now + TimeSpan.FromSeconds(1 + _dice.Below(90));
                    Note($"{waiting.Step} {waiting.Id} takes until {waiting.NotBefore}");
                    return;
                case 1 when waiting.Step == "launch":
                    _world.NextGreeting = _dice.Of([Greeting.Error, Greeting.Broken, Greeting.Dies]);
                    Note($"{waiting.Step} {waiting.Id}: its desktop {_world.NextGreeting}");
                    break;
                default:
                    fault = _dice.Of([Fault.Fails, Fault.Throws, Fault.FailsLate]);
                    break;
            }
        }

        Release(waiting, fault);
    }

    private void Release(Waiting waiting, Fault fault)
    {
        Note($"{waiting.Step} {waiting.Id}{(fault == Fault.None ? "" : $" {fault}")}");
        _server.Waiting.Remove(waiting);
        waiting.Turn.SetResult(fault);
    }

    /// <summary>Time goes on to what is next.</summary>
    private bool GoOn(TimeSpan limit)
    {
        if (_clock.FireOne())
        {
            return true;
        }

        TimeSpan?[] next = [_clock.NextDue, .. _server.Waiting.Select(waiting => (TimeSpan?)waiting.NotBefore).Where(time => time > _clock.Now)];
        var to = next.Min();
        if (to is null || to > limit)
        {
            return false;
        }

        _clock.AdvanceTo(to.Value);
        return true;
    }

    /// <summary>A minute without faults.</summary>
    private void Settle()
    {
        var end = _clock.Now + Settling;
        _pump.Drain();
        for (var turns = 0; turns < MostTurns; turns++)
        {
            if (_server.Waiting.Count > 0)
            {
                Release(_dice.Of(_server.Waiting), Fault.None);
            }
            else if (!GoOn(end))
            {
                break;
            }

            _pump.Drain();
        }

        _clock.AdvanceTo(end);
    }

    private List<string> Workspaces() => [.. Query("SELECT id FROM workspaces ORDER BY name")];

    private List<string> Query(string sql)
    {
        using var command = _world.State.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        List<string> found = [];
        while (reader.Read())
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }

    private void Ask(string what, Func<Task<string>> call)
    {
        Note("> " + what);
        var server = _server;
        Pump.Run(server.Life, () => _asked.Add(AnsweredAsync(what, call)));
        _pump.Drain();
    }

    private async Task AnsweredAsync(string what, Func<Task<string>> call)
    {
        try
        {
            Note($"< {what}: {await call()}");
        }
        catch (Exception failed) when (failed is SqliteException or InvalidOperationException)
        {
            Note($"< {what}: 500 {failed.Message}");
        }
    }

    private void AskSomething()
    {
        var computers = _server.Get<ComputerRegistry>().All.Where(computer => !_untouched.Contains(computer.Id)).OrderBy(computer => computer.Id, StringComparer.Ordinal).ToList();
        var workspaces = Workspaces();
        var kind = _dice.Below(100);
        var name = $"n{_dice.Below(12)}";
        if (computers.Count == 0 || kind < 14 && computers.Count < 7)
        {
            var workspace = _dice.Of(workspaces);
            Ask($"create {name} in {workspace[..4]}", () => CreateAsync(workspace, name));
            return;
        }

        var computer = _dice.Of(computers);
        var id = computer.State.Record.InstanceId;
        switch (kind)
        {
            case < 56:
                var command = _dice.Of(
                [
                    ComputerCommand.Start, ComputerCommand.Stop, ComputerCommand.Restart, ComputerCommand.Suspend, ComputerCommand.Resume,
                    ComputerCommand.EnsureRunning, ComputerCommand.Stop, ComputerCommand.Start,
                ]);
                Ask($"{command} {id}", () => CommandAsync(computer, command));
                break;
            case < 63:
                Ask($"snapshot {id}", () => SnapshotAsync(computer));
                break;
            case < 76 when Query("SELECT id FROM snapshots WHERE status = 'ready' ORDER BY id") is { Count: > 0 } snapshots:
                WithSnapshot(_dice.Of(snapshots), kind);
                break;
            case < 80:
                var target = _dice.Of(workspaces);
                Ask($"clone {id} to {target[..4]}", () => CloneAsync(computer, target));
                break;
            case < 84:
                var size = new NewSize(_dice.Of(Hardware.CpuChoices), (int)_dice.Of(Hardware.RamChoices), null, _dice.Below(100), null);
                Ask($"resize {id}", () => ResizeAsync(computer, size));
                break;
            case < 88:
                Ask($"rename {id} to {name}", () => ChangeAsync(computer, record => record with { Name = name }));
                break;
            case < 91:
                MoveTo(computer, _dice.Of(workspaces));
                break;
            case < 93:
                Ask($"idle stop {id}", () => IdleStopAsync(computer));
                break;
            case < 96 when computer.State.Usable is not null && _world.Disks.TryGetValue(id, out var disk):
                _world.Put(id, disk with { Content = _world.NewContent() });
                Note($"{id} writes");
                break;
            case < 98 when workspaces.Count > 1:
                var gone = _dice.Of(workspaces.Skip(1).ToList());
                Ask($"delete workspace {gone[..4]}", () => DeleteWorkspaceAsync(gone));
                break;
            default:
                _told.Leaving.Add(computer.Id);
                Ask($"delete {id}", () => CommandAsync(computer, ComputerCommand.Delete));
                break;
        }
    }

    private void WithSnapshot(string snapshot, int kind)
    {
        var owner = _server.Get<ComputerRegistry>().Find(Query($"SELECT computer_id FROM snapshots WHERE id = '{snapshot}'")[0]);
        if (owner is null)
        {
            return;
        }

        switch (kind % 3)
        {
            case 0:
                Ask($"delete snapshot {snapshot[..4]}", () => DeleteSnapshotAsync(owner, snapshot));
                break;
            case 1:
                var (workspace, name) = (_dice.Of(Workspaces()), $"n{_dice.Below(12)}");
                Ask($"create {name} in {workspace[..4]} from {snapshot[..4]}", () => CreateFromAsync(owner, snapshot, workspace, name));
                break;
            default:
                Ask($"restore {snapshot[..4]} of {owner.State.Record.InstanceId}", () => RestoreAsync(owner, snapshot));
                break;
        }
    }

    private void MoveTo(Computer computer, string workspace)
    {
        _told.BeenIn(computer.Id, workspace);
        Ask($"move {computer.State.Record.InstanceId} to {workspace[..4]}", async () =>
        {
            var target = await _server.Get<WorkspaceStore>().FindAsync(workspace);
            return target is null
                ? "404"
                : await ChangeAsync(computer, record => record with { WorkspaceId = target.Id, WorkspaceName = target.Name, AccountId = target.AccountId });
        });
    }

    private async Task<string> CreateAsync(string workspace, string name)
    {
        if (await _server.Get<WorkspaceStore>().FindAsync(workspace) is not { } target)
        {
            return "404";
        }

        var record = _server.Get<NewRecords>().Make(target, name, "desktop", new Hardware(1, 4, 8, new Screen(1280, 720, 24)), null);
        return Created(await _server.Get<Lifecycle>().CreateAsync(record));
    }

    private async Task<string> CreateFromAsync(Computer owner, string snapshot, string workspace, string name)
    {
        var (target, row) = (await _server.Get<WorkspaceStore>().FindAsync(workspace), await _server.Get<SnapshotStore>().FindAsync(snapshot));
        if (target is null || row is null)
        {
            return "404";
        }

        var content = _world.Snapshots[snapshot];
        var begun = await _server.Get<SnapshotDesk>().BeginCreateAsync(owner, row, _server.Get<NewRecords>().Make(target, name, row.Image, row.Hardware, 0));
        if (!begun.Succeeded)
        {
            return begun.Failure.Code;
        }

        var done = await begun.Value.Done;
        if (done.Succeeded && _world.Disks[done.Value.State.Record.InstanceId].Made != content)
        {
            _told.Lies.Add($"computer {done.Value.Id} was made from snapshot {snapshot}, but has another disk");
        }

        return Created(done);
    }

    private string Created(Outcome<Computer> made)
    {
        if (!made.Succeeded)
        {
            return made.Failure.Code;
        }

        _told.There.Add(made.Value.Id);
        _told.BeenIn(made.Value.Id, made.Value.State.Record.WorkspaceId);
        return $"201 {made.Value.State.Record.InstanceId}";
    }

    private async Task<string> CommandAsync(Computer computer, ComputerCommand command)
    {
        var begun = await _server.Get<Lifecycle>().BeginAsync(computer, command);
        if (!begun.Succeeded || begun.Value is not { } operation)
        {
            return begun.Failure?.Code ?? "200 already";
        }

        return Told(computer, command, await operation.Done);
    }

    private string Told(Computer computer, ComputerCommand command, Outcome<Computer> done)
    {
        if (!done.Succeeded)
        {
            return done.Failure.Code;
        }

        var id = computer.State.Record.InstanceId;
        if (command == ComputerCommand.Delete)
        {
            _told.Gone.Add((computer.Id, id));
        }
        else if (!_world.Disks.ContainsKey(id))
        {
            _told.Lies.Add($"{command} of {id} answered success, but its disk is gone");
        }

        return $"200 {computer.State.Status}";
    }

    private async Task<string> IdleStopAsync(Computer computer) =>
        _server.Get<Lifecycle>().BeginIdleStop(computer, "idle") is { } stop ? Told(computer, ComputerCommand.Stop, await stop.Done) : "not idle";

    private async Task<string> SnapshotAsync(Computer computer)
    {
        var taken = await _server.Get<SnapshotDesk>().TakeAsync(computer, null, null);
        return taken.Succeeded ? "201 " + taken.Value.Row.Id[..4] : taken.Failure.Code;
    }

    private async Task<string> DeleteSnapshotAsync(Computer owner, string snapshot)
    {
        if (await _server.Get<SnapshotStore>().FindAsync(snapshot) is not { } row)
        {
            return "404";
        }

        var deleted = await _server.Get<SnapshotDesk>().DeleteAsync(owner, row);
        if (deleted.Succeeded && _world.Snapshots.ContainsKey(snapshot))
        {
            _told.Lies.Add($"snapshot {snapshot} was deleted, but is there");
        }

        return deleted.Succeeded ? "200" : deleted.Failure.Code;
    }

    private async Task<string> RestoreAsync(Computer owner, string snapshot)
    {
        var content = _world.Snapshots.GetValueOrDefault(snapshot);
        var begun = await _server.Get<Lifecycle>().BeginAsync(owner, ComputerCommand.Restore, snapshot);
        if (!begun.Succeeded)
        {
            return begun.Failure.Code;
        }

        var done = await begun.Value!.Done;
        if (done.Succeeded && _world.Disks.GetValueOrDefault(owner.State.Record.InstanceId)?.Made != content)
        {
            _told.Lies.Add($"snapshot {snapshot} was restored, but the disk has other contents");
        }

        return Told(owner, ComputerCommand.Restore, done);
    }

    private async Task<string> CloneAsync(Computer source, string workspace)
    {
        if (await _server.Get<WorkspaceStore>().FindAsync(workspace) is not { } target)
        {
            return "404";
        }

        var cloned = await _server.Get<Cloning>().RunAsync(source, target, null, _ => Task.CompletedTask);
        if (!cloned.Succeeded)
        {
            return cloned.Failure.Code;
        }

        var made = _world.Disks.GetValueOrDefault(cloned.Value.Computer.State.Record.InstanceId)?.Made;
        if (made is null || !_world.Contents[source.State.Record.InstanceId].Contains(made))
        {
            _told.Lies.Add($"clone {cloned.Value.Computer.Id} has a disk that is none of its source's");
        }

        return Created(cloned.Value.Computer);
    }

    private async Task<string> ResizeAsync(Computer computer, NewSize size)
    {
        var resized = await _server.Get<Resizing>().RunAsync(computer, size);
        return resized.Succeeded ? "200" : resized.Failure.Code;
    }

    private async Task<string> ChangeAsync(Computer computer, Func<ComputerRecord, ComputerRecord> change) =>
        (await _server.Get<ComputerStore>().ChangeAsync(computer, change)).ToString();

    private async Task<string> DeleteWorkspaceAsync(string workspace)
    {
        _told.LeavingWorkspaces.Add(workspace);
        var deleted = await _server.Get<WorkspaceDeletion>().RunAsync(workspace);
        if (deleted.Succeeded)
        {
            _told.GoneWorkspaces.Add(workspace);
        }

        return deleted.Succeeded ? "200" : deleted.Failure.Code;
    }

    private IEnumerable<string> Judge(string when) => new Verdict(_world, _server, _asked, _told, _quiet, _untouched).Wrong().Select(wrong => $"{when}: {wrong}");

    private void Note(string what) => History.Add(string.Create(CultureInfo.InvariantCulture, $"{_clock.Now.TotalSeconds,7:F1} {what}"));
}

/// <summary>What clients were told, or asked for.</summary>
internal sealed class Told
{
    private readonly HashSet<(string Computer, string Workspace)> _been = [];

    public List<string> Lies { get; } = [];

    public HashSet<string> There { get; } = [];

    public HashSet<(string Id, string Instance)> Gone { get; } = [];

    public HashSet<string> Leaving { get; } = [];

    public HashSet<string> LeavingWorkspaces { get; } = [];

    public HashSet<string> GoneWorkspaces { get; } = [];

    public void BeenIn(string computer, string workspace) => _been.Add((computer, workspace));

    public bool MayBeGone(string computer) => Leaving.Contains(computer) || _been.Any(been => been.Computer == computer && LeavingWorkspaces.Contains(been.Workspace));
}
