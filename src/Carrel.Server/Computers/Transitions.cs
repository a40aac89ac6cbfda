using System.Collections.Frozen;
using Carrel.Contracts;
using static Carrel.Server.Computers.ComputerCommand;
using static Carrel.Server.Computers.ComputerStatus;

namespace Carrel.Server.Computers;

/// <summary>What a command means in a status: exactly one of its members says something.</summary>
/// <param name="Next">The transition begins, and this is the status while it lasts.</param>
/// <param name="Refusal">Code of the 409.</param>
/// <param name="Already">Nothing is to be done.</param>
/// <param name="Wait">Wait for the transition under way and ask again.</param>
internal readonly record struct Verdict(ComputerStatus? Next = null, string? Refusal = null, bool Already = false, bool Wait = false);

/// <summary>The whole table of legal transitions; there is no other place that decides.</summary>
internal static class Transitions
{
    private static readonly Verdict Busy = new(Refusal: ErrorCodes.Busy);
    private static readonly Verdict Wait = new(Wait: true);

    private static readonly FrozenDictionary<(ComputerStatus, ComputerCommand), Verdict> Table =
        new Dictionary<(ComputerStatus, ComputerCommand), Verdict>
        {
            [(Creating, Start)] = Busy,
            [(Creating, Stop)] = Busy,
            [(Creating, Restart)] = Busy,
            [(Creating, EnsureRunning)] = Wait,
            [(Creating, Delete)] = Busy,
            [(Creating, Restore)] = Busy,
            [(Creating, Suspend)] = Busy,
            [(Creating, Resume)] = Busy,

            [(Starting, Start)] = Busy,
            [(Starting, Stop)] = Busy,
            [(Starting, Restart)] = Busy,
            [(Starting, EnsureRunning)] = Wait,
            [(Starting, Delete)] = Busy,
            [(Starting, Restore)] = Busy,
            [(Starting, Suspend)] = Busy,
            [(Starting, Resume)] = Busy,

            [(Running, Start)] = new(Refusal: ErrorCodes.AlreadyRunning),
            [(Running, Stop)] = new(Stopping),
            [(Running, Restart)] = new(Restarting),
            [(Running, EnsureRunning)] = new(Already: true),
            [(Running, Delete)] = new(Deleting),
            [(Running, Restore)] = new(Restarting),
            [(Running, Suspend)] = new(Stopping),
            [(Running, Resume)] = new(Refusal: ErrorCodes.AlreadyRunning),

            [(Stopping, Start)] = Busy,
            [(Stopping, Stop)] = Busy,
            [(Stopping, Restart)] = Busy,
            [(Stopping, EnsureRunning)] = Wait,
            [(Stopping, Delete)] = Busy,
            [(Stopping, Restore)] = Busy,
            [(Stopping, Suspend)] = Busy,
            [(Stopping, Resume)] = Busy,

            [(Stopped, Start)] = new(Starting),
            [(Stopped, Stop)] = new(Refusal: ErrorCodes.AlreadyStopped),
            [(Stopped, Restart)] = new(Refusal: ErrorCodes.NotRunning),
            [(Stopped, EnsureRunning)] = new(Starting),
            [(Stopped, Delete)] = new(Deleting),
            [(Stopped, Restore)] = new(Stopping),
            [(Stopped, Suspend)] = new(Refusal: ErrorCodes.NotRunning),
            [(Stopped, Resume)] = new(Refusal: ErrorCodes.NotSuspended),

            [(Restarting, Start)] = Busy,
            [(Restarting, Stop)] = Busy,
            [(Restarting, Restart)] = Busy,
            [(Restarting, EnsureRunning)] = Wait,
            [(Restarting, Delete)] = Busy,
            [(Restarting, Restore)] = Busy,
            [(Restarting, Suspend)] = Busy,
            [(Restarting, Resume)] = Busy,

            [(Suspended, Start)] = new(Starting),
            [(Suspended, Stop)] = new(Stopping),
            [(Suspended, Restart)] = new(Restarting),
            [(Suspended, EnsureRunning)] = new(Starting),
            [(Suspended, Delete)] = new(Deleting),
            [(Suspended, Restore)] = new(Stopping),
            [(Suspended, Suspend)] = new(Refusal: ErrorCodes.AlreadySuspended),
            [(Suspended, Resume)] = new(Starting),

            [(Deleting, Start)] = Busy,
            [(Deleting, Stop)] = Busy,
            [(Deleting, Restart)] = Busy,
            [(Deleting, EnsureRunning)] = Busy,
            [(Deleting, Delete)] = Busy,
            [(Deleting, Restore)] = Busy,
            [(Deleting, Suspend)] = Busy,
            [(Deleting, Resume)] = Busy,

            // After a failed stop or delete nobody knows what runs; each of these begins by ending whatever does.
            [(Error, Start)] = new(Starting),
            [(Error, Stop)] = new(Stopping),
            [(Error, Restart)] = new(Restarting),
            [(Error, EnsureRunning)] = new(Starting),
            [(Error, Delete)] = new(Deleting),
            [(Error, Restore)] = new(Stopping),
            [(Error, Suspend)] = new(Refusal: ErrorCodes.NotRunning),
            [(Error, Resume)] = new(Refusal: ErrorCodes.NotSuspended),
        }.ToFrozenDictionary();

    public static Verdict Of(ComputerStatus status, ComputerCommand command) => Table[(status, command)];
}
