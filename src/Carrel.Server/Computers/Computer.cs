using Carrel.Contracts;
using Carrel.Server.Recordings;

namespace Carrel.Server.Computers;

/// <summary>What the hot path reads: one reference, one moment.</summary>
internal sealed record ComputerState(ComputerRecord Record, MachineSession? Session)
{
    public ComputerStatus Status => Record.Status;

    /// <summary>The session of a running computer; null whenever actions are not allowed.</summary>
    public MachineSession? Usable => Status == ComputerStatus.Running ? Session : null;
}

/// <summary>
/// A computer in memory with its mailbox. A command is judged and, where legal, posted in one step under the lock; so a
/// transitional status means that its work is in the mailbox, and a second command is refused at once instead of queued.
/// </summary>
internal sealed class Computer(ComputerRecord record)
{
    private readonly Lock _gate = new();
    private volatile ComputerState _state = new(record, null);
    private volatile ActionNotes? _notes;
    private Task _tail = Task.CompletedTask;

    public ComputerState State => _state;

    public ComputerUse Use { get; } = new();

    public string Id => _state.Record.Id;

    /// <summary>Where actions are noted while the computer is being recorded; else null.</summary>
    public ActionNotes? Notes { get => _notes; set => _notes = value; }

    /// <summary>No more notes there, unless others are kept by now.</summary>
    public void Forget(ActionNotes notes) => Interlocked.CompareExchange(ref _notes, null, notes);

    /// <summary>Completes when what is in the mailbox now has been done. Never faults.</summary>
    public Task Settled
    {
        get
        {
            lock (_gate)
            {
                return _tail;
            }
        }
    }

    /// <summary>The state, and surely not one that <see cref="Begin"/> is about to take back.</summary>
    public ComputerState SettledState
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Judges <paramref name="command"/>; where it begins a transition, <paramref name="work"/> is posted with the state before it.</summary>
    /// <param name="reason">Stands with the status meanwhile, and where the work keeps it, after.</param>
    /// <param name="onlyUnused">Nothing begins where somebody uses the computer: whoever enters either is seen here, or sees the transition.</param>
    public (Verdict Verdict, Task<Outcome<Computer>>? Work) Begin(
        ComputerCommand command, Func<ComputerState, Task<Outcome<Computer>>> work, string? reason = null, bool onlyUnused = false)
    {
        lock (_gate)
        {
            var before = _state;
            var verdict = Transitions.Of(before.Status, command);
            if (verdict.Next is not { } next)
            {
                return (verdict, null);
            }

            _state = before with { Record = before.Record.With(next, reason) };
            Interlocked.MemoryBarrier(); // The state is written before the use is read; ComputerUse.Enter's callers do it the other way around.
            if (onlyUnused && Use.IsUsed)
            {
                _state = before;
                return (new Verdict(Already: true), null);
            }

            return (verdict, PostLocked(() => work(before)));
        }
    }

    public Task<T> Post<T>(Func<Task<T>> work)
    {
        lock (_gate)
        {
            return PostLocked(work);
        }
    }

    /// <summary>Only from work in the mailbox. What <see cref="Change"/> governs stays as it is by now.</summary>
    public void Set(ComputerRecord changed, MachineSession? session)
    {
        lock (_gate)
        {
            _state = new ComputerState(changed.Keeping(_state.Record), session);
        }
    }

    /// <summary>The same where the status is still <paramref name="expected"/>. Where a transition was begun meanwhile, its status stays and its work goes on from the session.</summary>
    public void SetUnlessBegun(ComputerStatus expected, ComputerRecord changed, MachineSession? session)
    {
        lock (_gate)
        {
            _state = new ComputerState(_state.Status == expected ? changed.Keeping(_state.Record) : _state.Record, session);
        }
    }

    /// <summary>Changes what is no matter of transitions, and leaves the status to whatever is under way. What is to outlast that stands in <see cref="ComputerRecord.Keeping"/>.</summary>
    public void Change(Func<ComputerRecord, ComputerRecord> change)
    {
        lock (_gate)
        {
            _state = _state with { Record = change(_state.Record) };
        }
    }

    private Task<T> PostLocked<T>(Func<Task<T>> work)
    {
        var done = AfterAsync(_tail, work);
        _tail = done.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return done;
    }

    private static async Task<T> AfterAsync<T>(Task before, Func<Task<T>> work)
    {
        // Yields always, so that no work ever runs under the lock; and stays on the poster's context, where it has one, which only a simulation has.
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return await work();
    }
}
