using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Waking;

namespace Carrel.Server.Computers;

/// <summary>The computer a request names, if its caller may use it.</summary>
internal sealed class ComputerLookup(ComputerRegistry registry)
{
    public (Computer? Computer, Problem? Problem) Find(HttpContext context, string id)
    {
        var missing = $"Computer not found: {id}.";
        if (registry.Find(id) is not { } computer)
        {
            return (null, Problem.NotFound(missing));
        }

        var record = computer.State.Record;
        context.NoteTarget("computer", record.Id);
        if (context.Refusal(record.AccountId, record.WorkspaceId, missing) is { } refusal)
        {
            return (null, refusal);
        }

        if (!UseTracking.IsPassive(context.Request))
        {
            computer.Use.Touch();
        }

        return (computer, null);
    }

    public static Failure NotRunning(Computer computer) => new(
        ErrorCodes.NotRunning,
        $"Computer {computer.State.Record.Name} is {computer.State.Status.Wire()}, not running.",
        computer.State.Status switch
        {
            ComputerStatus.Stopped => "Start it first.",
            ComputerStatus.Suspended => "Resume it first.",
            _ => "Try again in a moment.",
        });
}
