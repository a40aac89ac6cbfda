using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Idempotency;
using Carrel.Server.Plans;
using Carrel.Server.Snapshots;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Computers;

/// <summary>Making and showing computers (reference sections 4.3 to 4.5 and 4.10).</summary>
internal sealed class ComputerEndpoints(
    ComputerLookup lookup,
    ComputerRegistry registry,
    ComputerViews views,
    Lifecycle lifecycle,
    OperationViews operations,
    NewRecords records,
    WorkspaceStore workspaces,
    SnapshotEndpoints snapshots,
    SnapshotDesk desk,
    PlanGuard plans,
    Settings settings)
{
    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var (owner, snapshot, unknown) = read.Value.Text(100, "snapshot_id", "snapshotId") is { } id ? await snapshots.FindForAsync(context, id) : default;
        if (unknown is not null)
        {
            return unknown;
        }

        var wanted = NewComputer.Read(read.Value, snapshot?.Hardware);
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var missing = $"No workspace {wanted.WorkspaceId}.";
        var workspace = await workspaces.FindAsync(wanted.WorkspaceId.ToLowerInvariant());
        if ((workspace is null ? Problem.NotFound(missing) : context.Refusal(workspace.AccountId, workspace.Id, missing)) is { } refusal)
        {
            return refusal;
        }

        if (OperationViews.IsAsync(context.Request) is not { } async)
        {
            return OperationViews.InvalidAsync();
        }

        var record = records.Make(workspace!, wanted.Name, settings.Image, wanted.Hardware, wanted.AutoStopMinutes, wanted.AutoStart);
        context.NoteTarget("computer", record.Id);
        context.NoteDetail("name", record.Name);
        var room = plans.ForNew(record);
        if (!room.Succeeded)
        {
            return room.Failure.AsProblem();
        }

        using var taken = room.Value;
        await context.WillMakeAsync(record.Id);
        var begun = snapshot is null ? await lifecycle.BeginCreateAsync(record) : await desk.BeginCreateAsync(owner!, snapshot, record);
        if (!begun.Succeeded)
        {
            return begun.Failure.AsProblem();
        }

        if (async)
        {
            return Accepted(context, record, begun.Value);
        }

        var created = await begun.Value.Done;
        return created.Succeeded
            ? Results.Json(views.Of(created.Value, context), ApiJson.Default.ComputerAnswer, statusCode: StatusCodes.Status201Created)
            : created.Failure.AsProblem();
    }

    /// <summary>The answer for a computer that was made before, if it was.</summary>
    public IResult? Made(HttpContext context, string id) => registry.Find(id) is { } computer
        ? Results.Json(views.Of(computer, context), ApiJson.Default.ComputerAnswer, statusCode: StatusCodes.Status201Created)
        : null;

    public IResult Get(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        return problem ?? Results.Json(views.Of(computer!, context), ApiJson.Default.ComputerAnswer);
    }

    public IResult VncPassword(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var state = computer!.State;
        return state.Usable is null
            ? ComputerLookup.NotRunning(computer).AsProblem()
            : Results.Json(
                new VncPasswordAnswer(state.Record.Secrets.VncPassword, state.Record.Secrets.Token), ApiJson.Default.VncPasswordAnswer);
    }

    /// <summary>The 202 of a computer that is being made, also where that has failed by now: its operation tells.</summary>
    private IResult Accepted(HttpContext context, ComputerRecord record, Operation operation)
    {
        var url = operations.UrlOf(context, record.Id, operation.Id);
        context.Response.Headers.Location = url;
        var shown = views.Of(registry.Find(record.Id) ?? new Computer(record), context) with { OperationId = operation.Id.ToString(), OperationUrl = url };
        return Results.Json(shown, ApiJson.Default.ComputerAnswer, statusCode: StatusCodes.Status202Accepted);
    }
}
