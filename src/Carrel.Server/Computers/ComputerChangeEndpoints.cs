using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Files;
using Carrel.Server.Plans;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Computers;

/// <summary>What of a computer changes at any time, whatever is under way: name, workspace, star, and when it stops or starts by itself.</summary>
internal sealed class ComputerChangeEndpoints(
    ComputerLookup lookup, ComputerRegistry registry, ComputerStore store, ComputerViews views, WorkspaceStore workspaces, FileDelivery files, PlanGuard plans, Access access)
{
    public Task<IResult> ChangeAsync(HttpContext context, string id) => WithAsync(context, id, async (computer, fields) =>
    {
        var name = fields.Has("name") ? ComputerName.Read(fields, required: true) : null;
        var (autoStop, autoStart) = (NewComputer.ReadAutoStop(fields), fields.Flag("auto_start"));
        if (fields.Wrong is null && (name, autoStop, autoStart) is (null, null, null))
        {
            return Missing("name, auto_stop_minutes or auto_start");
        }

        return fields.Wrong?.AsProblem() ?? await ChangedAsync(
            computer,
            record => record with
            {
                Name = name ?? record.Name,
                AutoStopMinutes = autoStop ?? record.AutoStopMinutes,
                AutoStart = autoStart ?? record.AutoStart,
            },
            () => Results.Json(views.Of(computer, context), ApiJson.Default.ComputerAnswer));
    });

    public Task<IResult> MoveAsync(HttpContext context, string id) => WithAsync(context, id, async (computer, fields) =>
    {
        var to = fields.RequiredText(100, "workspace_id", "project_id", "workspaceId", "projectId").ToLowerInvariant();
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var missing = $"No workspace {to}.";
        var target = await workspaces.FindAsync(to);
        if ((target is null ? Problem.NotFound(missing) : context.Refusal(target.AccountId, target.Id, missing)) is { } refusal)
        {
            return refusal;
        }

        if (computer.State.Record.WorkspaceId == target!.Id)
        {
            return new Failure(ErrorCodes.InvalidField, $"Computer {computer.State.Record.Name} is already in workspace {target.Name}.").AsProblem();
        }

        using var taken = RoomFor(computer, target, out var full);
        if (full is not null)
        {
            return full.AsProblem();
        }

        return await ChangedAsync(
            computer,
            record => record with { AccountId = target.AccountId, WorkspaceId = target.Id, WorkspaceName = target.Name },
            () =>
            {
                files.Begin(computer); // As a computer that is made there would be, it is given the uploads of its workspace.
                return Results.Json(new MoveAnswer(true, target.Id, target.Id), ApiJson.Default.MoveAnswer);
            });
    });

    public Task<IResult> StarAsync(HttpContext context, string id) => WithAsync(context, id, async (computer, fields) =>
    {
        var starred = fields.Flag("starred") ?? true;
        return fields.Wrong?.AsProblem() ?? await ChangedAsync(
            computer, record => record with { Starred = starred }, () => Results.Json(new StarAnswer(true, starred), ApiJson.Default.StarAnswer));
    });

    public IResult Starred(HttpContext context)
    {
        var caller = context.Caller();
        var starred = registry.All.Where(computer => computer.State.Record.Starred && access.Allows(caller, ActionClass.Read, computer.State.Record.AccountId, computer.State.Record.WorkspaceId))
            .OrderBy(computer => computer.State.Record.CreatedAt)
            .Select(computer => views.Of(computer, context));
        return Results.Json(new ComputerList([.. starred]), ApiJson.Default.ComputerList);
    }

    public IResult AutoStop(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        return problem ?? Results.Json(new AutoStopAnswer(computer!.State.Record.AutoStopMinutes ?? 0, Configurable: true), ApiJson.Default.AutoStopAnswer);
    }

    public Task<IResult> SetAutoStopAsync(HttpContext context, string id) => WithAsync(context, id, async (computer, fields) =>
    {
        var minutes = NewComputer.ReadAutoStop(fields);
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        return minutes is not { } set ? Missing("auto_stop_minutes") : await ChangedAsync(
            computer,
            record => record with { AutoStopMinutes = set },
            () => Results.Json(new AutoStopChanged(set, string.Create(null, $"{set * 60L}s")), ApiJson.Default.AutoStopChanged));
    });

    private async Task<IResult> WithAsync(HttpContext context, string id, Func<Computer, JsonFields, Task<IResult>> handle)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        return read.Succeeded ? await handle(computer!, read.Value) : read.Failure.AsProblem();
    }

    private async Task<IResult> ChangedAsync(Computer computer, Func<ComputerRecord, ComputerRecord> change, Func<IResult> answer)
    {
        var wanted = change(computer.State.Record);
        return await store.ChangeAsync(computer, change) switch
        {
            Insertion.Done => answer(),
            Insertion.NameTaken => new Failure(
                ErrorCodes.NameTaken, $"A computer named {wanted.Name} already exists in workspace {wanted.WorkspaceName}.", "Choose another name.").AsProblem(),
            _ => Problem.NotFound($"Computer {wanted.Name} or its workspace was deleted meanwhile."),
        };
    }

    /// <summary>Within one account a move takes nothing.</summary>
    private Room? RoomFor(Computer computer, Workspace target, out Failure? full)
    {
        var record = computer.State.Record;
        full = null;
        if (record.AccountId == target.AccountId)
        {
            return null;
        }

        var room = plans.ForNew(record with { AccountId = target.AccountId, WorkspaceId = target.Id, WorkspaceName = target.Name });
        full = room.Failure;
        return room.Succeeded ? room.Value : null;
    }

    private static Problem Missing(string what) => new Failure(ErrorCodes.MissingField, $"Nothing to change: the field {what} is missing.").AsProblem();
}
