using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Snapshots;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Computers;

/// <summary>Making, showing and deleting computers (reference sections 4.3 to 4.6 and 4.10).</summary>
internal sealed class ComputerEndpoints(
    ComputerLookup lookup,
    ComputerStore store,
    ComputerViews views,
    Lifecycle lifecycle,
    NewRecords records,
    WorkspaceStore workspaces,
    SnapshotEndpoints snapshots,
    SnapshotDesk desk,
    Settings settings)
{
    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var caller = context.Caller();
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
        if ((workspace is null ? Problem.NotFound(missing) : caller.Refusal(workspace.AccountId, workspace.Id, missing)) is { } refusal)
        {
            return refusal;
        }

        var record = records.Make(workspace!, wanted.Name, settings.Image, wanted.Hardware, wanted.AutoStopMinutes);
        var created = snapshot is null ? await lifecycle.CreateAsync(record) : await desk.CreateAsync(owner!, snapshot, record);
        return created.Succeeded
            ? Results.Json(views.Of(created.Value, context), ApiJson.Default.ComputerAnswer, statusCode: StatusCodes.Status201Created)
            : created.Failure.AsProblem();
    }

    public IResult Get(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        return problem ?? Results.Json(views.Of(computer!, context), ApiJson.Default.ComputerAnswer);
    }

    public async Task<IResult> DeleteAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var begun = await lifecycle.BeginAsync(computer!, ComputerCommand.Delete);
        if (!begun.Succeeded)
        {
            return begun.Failure.AsProblem();
        }

        var done = await begun.Value!.Done;
        return done.Succeeded ? Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer) : done.Failure.AsProblem();
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

    public async Task<IResult> OperationAsync(HttpContext context, string id, string operation)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        return await store.OperationAsync(computer!.Id, operation.ToLowerInvariant()) is { } row
            ? Results.Json(
                new OperationAnswer(
                    row.Id,
                    row.ComputerId,
                    row.Kind,
                    row.Status,
                    row.Error,
                    DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
                    row.FinishedAt is { } finished ? DateTimeOffset.FromUnixTimeMilliseconds(finished) : null),
                ApiJson.Default.OperationAnswer)
            : Problem.NotFound($"No operation {operation} of computer {id}.");
    }
}
