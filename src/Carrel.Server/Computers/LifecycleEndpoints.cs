using Carrel.Contracts.Api;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;

namespace Carrel.Server.Computers;

/// <summary>
/// Start, stop, restart, suspend and resume (reference sections 4.7, 4.8 and 25.9). They answer when it is done, with the status the computer
/// then has; with <c>?async=true</c> they answer at once with the operation to ask after.
/// </summary>
internal sealed class LifecycleEndpoints(ComputerLookup lookup, ComputerViews views, Lifecycle lifecycle, PublicAddress address)
{
    public async Task<IResult> RunAsync(HttpContext context, string id, ComputerCommand command)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        if (ReadAsync(context.Request) is not { } async)
        {
            return InvalidAsync();
        }

        var begun = await lifecycle.BeginAsync(computer!, command);
        if (!begun.Succeeded)
        {
            return begun.Failure.AsProblem();
        }

        var operation = begun.Value!;
        if (async)
        {
            await operation.Recorded;
            var url = $"{address.BaseOf(context.Request)}/api/computers/{computer!.Id}/operations/{operation.Id}";
            context.Response.Headers.Location = url;
            return Results.Json(
                new LifecycleAnswer(true, computer.State.Status.Wire(), operation.Id.ToString(), url), ApiJson.Default.LifecycleAnswer, statusCode: 202);
        }

        var done = await operation.Done;
        return done.Succeeded
            ? Results.Json(new LifecycleAnswer(true, computer!.State.Status.Wire(), MemoryKept: command == ComputerCommand.Suspend ? true : null), ApiJson.Default.LifecycleAnswer)
            : done.Failure.AsProblem();
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

    private static bool? ReadAsync(HttpRequest request) => request.Query["async"].ToString() switch
    {
        "" or "false" or "0" => false,
        "true" or "1" => true,
        _ => null,
    };

    private static Problem InvalidAsync() =>
        new Contracts.Failure(Contracts.ErrorCodes.InvalidField, "The query parameter async must be true or false.").AsProblem();
}
