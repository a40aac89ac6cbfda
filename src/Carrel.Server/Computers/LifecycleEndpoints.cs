using Carrel.Contracts.Api;
using Carrel.Server.Errors;

namespace Carrel.Server.Computers;

/// <summary>
/// Start, stop, restart, suspend, resume and delete (reference sections 4.7, 4.8 and 25.9). They answer when it is done, with the status the computer
/// then has; with <c>?async=true</c> they answer at once with the operation to ask after.
/// </summary>
internal sealed class LifecycleEndpoints(ComputerLookup lookup, ComputerViews views, Lifecycle lifecycle, OperationViews operations)
{
    public async Task<IResult> RunAsync(HttpContext context, string id, ComputerCommand command)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        if (OperationViews.IsAsync(context.Request) is not { } async)
        {
            return OperationViews.InvalidAsync();
        }

        var begun = await lifecycle.BeginAsync(computer!, command);
        if (!begun.Succeeded)
        {
            return begun.Failure.AsProblem();
        }

        var operation = begun.Value!;
        if (async)
        {
            return await operations.AcceptedAsync(context, computer!, operation);
        }

        var done = await operation.Done;
        if (!done.Succeeded)
        {
            return done.Failure.AsProblem();
        }

        return command == ComputerCommand.Delete
            ? Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer)
            : Results.Json(new LifecycleAnswer(true, computer!.State.Status.Wire(), MemoryKept: command == ComputerCommand.Suspend ? true : null), ApiJson.Default.LifecycleAnswer);
    }

    public async Task<IResult> EnsureRunningAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var begun = await lifecycle.BeginAsync(computer!, ComputerCommand.EnsureRunning);
        if (!begun.Succeeded)
        {
            return begun.Failure.AsProblem();
        }

        var done = begun.Value is { } operation ? await operation.Done : computer!;
        return done.Succeeded ? Results.Json(views.Of(computer!, context), ApiJson.Default.ComputerAnswer) : done.Failure.AsProblem();
    }
}
