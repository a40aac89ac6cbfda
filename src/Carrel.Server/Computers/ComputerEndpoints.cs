using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Plans;
using Carrel.Server.State;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Computers;

/// <summary>Making, showing and deleting computers (reference sections 4.3 to 4.6 and 4.10).</summary>
internal sealed class ComputerEndpoints(
    ComputerLookup lookup,
    ComputerRegistry registry,
    ComputerStore store,
    ComputerViews views,
    Lifecycle lifecycle,
    WorkspaceStore workspaces,
    PlanGuard plans,
    Settings settings,
    IIdFactory ids,
    TimeProvider clock)
{
    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var wanted = NewComputer.Read(read.Value);
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

        var record = RecordOf(wanted, workspace!);
        context.NoteTarget("computer", record.Id);
        context.NoteDetail("name", record.Name);
        var room = plans.ForNew(record);
        if (!room.Succeeded)
        {
            return room.Failure.AsProblem();
        }

        using var taken = room.Value;
        var created = await lifecycle.CreateAsync(record);
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

    private ComputerRecord RecordOf(NewComputer wanted, Workspace workspace)
    {
        string instance;
        do
        {
            instance = ids.NewInstanceId();
        }
        while (registry.Find(instance) is not null);

        return new ComputerRecord
        {
            Id = ids.NewId().ToString(),
            InstanceId = instance,
            AccountId = workspace.AccountId,
            WorkspaceId = workspace.Id,
            WorkspaceName = workspace.Name,
            Name = wanted.Name,
            Image = settings.Image,
            Hardware = wanted.Hardware,
            AutoStopMinutes = wanted.AutoStopMinutes,
            Status = ComputerStatus.Creating,
            Secrets = lifecycle.NewSecrets(),

            // Whole milliseconds, as the database keeps them, so that every answer shows the same moment.
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds()),
        };
    }
}
