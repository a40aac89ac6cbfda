using Carrel.Contracts;

namespace Carrel.Server.Computers;

/// <summary>What is said where a transition does not begin.</summary>
internal static class Refusals
{
    public static Failure NotInserted(ComputerRecord record, Insertion why) => why == Insertion.NameTaken
        ? new(ErrorCodes.NameTaken, $"A computer named {record.Name} already exists in workspace {record.WorkspaceName}.", "Choose another name.")
        : new(ErrorCodes.NotFound, $"Workspace {record.WorkspaceName} was deleted meanwhile.");

    public static Failure Of(ComputerRecord record, ComputerCommand command, string code) => code switch
    {
        ErrorCodes.AlreadyRunning => new(code, $"Computer {record.Name} is already running."),
        ErrorCodes.AlreadyStopped => new(code, $"Computer {record.Name} is already stopped."),
        ErrorCodes.AlreadySuspended => new(code, $"Computer {record.Name} is already suspended."),
        ErrorCodes.NotSuspended => new(code, $"Computer {record.Name} is {record.Status.Wire()}, not suspended.", "Start it."),
        ErrorCodes.NotRunning => new(code, $"Computer {record.Name} is {record.Status.Wire()}, not running.", "Start it first."),
        _ => new(
            code,
            $"Computer {record.Name} is {record.Status.Wire()}; {command.ToString().ToLowerInvariant()} is not possible meanwhile.",
            "Try again in a moment."),
    };
}
