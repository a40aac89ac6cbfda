using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Carrel.Server.State;

namespace Carrel.Server.Workspaces;

/// <summary>Workspaces, under their name of today and of old (reference sections 3 and 25.2).</summary>
internal sealed class WorkspaceEndpoints(
    WorkspaceStore store, WorkspaceDeletion deletion, WorkspaceOrders orders, WorkspaceViews views, ComputerRegistry registry, IIdFactory ids, TimeProvider clock)
{
    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var caller = context.Caller();
        if (caller.WorkspaceId is not null)
        {
            return caller.Mismatch(null);
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var workspace = new Workspace
        {
            Id = ids.NewId().ToString(),
            AccountId = caller.AccountId,
            Name = fields.RequiredText(200, "name"),
            IconUrl = fields.Text(2000, "icon_url"),
            Status = fields.Text(20, "status") ?? "active",
            CreatedAt = now,
            UpdatedAt = now,
        };
        CheckStatus(fields, workspace.Status);
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        await context.WillMakeAsync(workspace.Id);
        if (!await store.InsertAsync(workspace))
        {
            return Taken(workspace.Name);
        }

        context.Note(workspace.Id, workspace.AccountId);
        context.NoteTarget("workspace", workspace.Id);
        return Results.Json(views.Of(workspace, context), ApiJson.Default.WorkspaceAnswer, statusCode: StatusCodes.Status201Created);
    }

    /// <summary>The answer for a workspace that was made before, if it was.</summary>
    public async Task<IResult?> MadeAsync(HttpContext context, string id) => await store.FindAsync(id) is { } workspace
        ? Results.Json(views.Of(workspace, context), ApiJson.Default.WorkspaceAnswer, statusCode: StatusCodes.Status201Created)
        : null;

    public async Task<IResult> ListAsync(HttpContext context)
    {
        var caller = context.Caller();
        var all = await store.OfAccountAsync(caller.AccountId);
        var answers = all.Where(workspace => caller.WorkspaceId is null || caller.WorkspaceId == workspace.Id)
            .Select(workspace => views.Of(workspace, context))
            .ToList();
        return Results.Json(new WorkspaceList(answers, answers), ApiJson.Default.WorkspaceList);
    }

    public async Task<IResult> GetAsync(HttpContext context, string id) => Show(context, await store.FindAsync(Bare(id)), $"No workspace {id}.");

    public async Task<IResult> GetByNameAsync(HttpContext context)
    {
        var name = NameInPath.Of(context);
        return Show(context, await store.FindByNameAsync(context.Caller().AccountId, name), $"No workspace named {name}.");
    }

    public async Task<IResult> GetComputerByNameAsync(HttpContext context, string id)
    {
        var workspace = await store.FindAsync(Bare(id));
        if (Refusal(context, workspace, $"No workspace {id}.") is { } refusal)
        {
            return refusal;
        }

        var name = NameInPath.Of(context);
        return registry.In(workspace!.Id).FirstOrDefault(computer => computer.State.Record.Name == name) is { } computer
            ? Results.Json(views.Of(computer, context), ApiJson.Default.ComputerAnswer)
            : Problem.NotFound($"Workspace {workspace.Name} has no computer named {name}.");
    }

    public async Task<IResult> ChangeAsync(HttpContext context, string id)
    {
        var workspace = await store.FindAsync(Bare(id));
        if (Refusal(context, workspace, $"No workspace {id}.") is { } refusal)
        {
            return refusal;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        if (!fields.HasAny("name", "icon_url", "status"))
        {
            return new Failure(ErrorCodes.MissingField, "Nothing to change: the field name, icon_url or status is missing.").AsProblem();
        }

        var changed = new Workspace
        {
            Id = workspace!.Id,
            AccountId = workspace.AccountId,
            Name = fields.Has("name") ? fields.RequiredText(200, "name") : workspace.Name,
            IconUrl = fields.Text(2000, "icon_url") is { } icon ? icon.Length > 0 ? icon : null : workspace.IconUrl,
            Status = fields.Text(20, "status") ?? workspace.Status,
            CreatedAt = workspace.CreatedAt,
            UpdatedAt = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        CheckStatus(fields, changed.Status);
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        return await store.ChangeAsync(changed, () => registry.RenameWorkspace(changed.Id, changed.Name)) switch
        {
            WorkspaceChange.Done => Show(context, changed, ""),
            WorkspaceChange.NameTaken => Taken(changed.Name),
            _ => Problem.NotFound($"No workspace {id}."),
        };
    }

    /// <summary>Orders all computers of a workspace to start, stop or restart.</summary>
    public async Task<IResult> OrderAsync(HttpContext context, string id, ComputerCommand command)
    {
        var workspace = await store.FindAsync(Bare(id));
        if (Refusal(context, workspace, $"No workspace {id}.") is { } refusal)
        {
            return refusal;
        }

        if (OperationViews.IsAsync(context.Request) is not { } async)
        {
            return OperationViews.InvalidAsync();
        }

        var answer = async ? await orders.BeginAsync(context, workspace!.Id, command) : await orders.RunAsync(workspace!.Id, command);
        return Results.Json(
            answer,
            ApiJson.Default.WorkspaceOrderAnswer,
            statusCode: async ? StatusCodes.Status202Accepted : answer.Success ? StatusCodes.Status200OK : StatusCodes.Status207MultiStatus);
    }

    public async Task<IResult> DeleteAsync(HttpContext context, string id)
    {
        var workspace = await store.FindAsync(Bare(id));
        if (Refusal(context, workspace, $"No workspace {id}.") is { } refusal)
        {
            return refusal;
        }

        var deleted = await deletion.RunAsync(workspace!.Id);
        return deleted.Succeeded ? Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer) : deleted.Failure.AsProblem();
    }

    private static void CheckStatus(JsonFields fields, string status)
    {
        if (status is not ("active" or "inactive"))
        {
            fields.Refuse("status", "must be active or inactive");
        }
    }

    private static Problem Taken(string name) =>
        new(new Failure(ErrorCodes.NameTaken, $"A workspace named {name} already exists.", "Choose another name.")) { Status = StatusCodes.Status400BadRequest };

    private static string Bare(string id) => id.ToLowerInvariant();

    private static Problem? Refusal(HttpContext context, Workspace? workspace, string missing) =>
        workspace is null ? Problem.NotFound(missing) : context.Refusal(workspace.AccountId, workspace.Id, missing);

    private IResult Show(HttpContext context, Workspace? workspace, string missing) =>
        Refusal(context, workspace, missing) is { } refusal
            ? refusal
            : Results.Json(views.Of(workspace!, context), ApiJson.Default.WorkspaceAnswer);
}

/// <summary>Workspaces as the API shows them.</summary>
internal sealed class WorkspaceViews(ComputerRegistry registry, ComputerViews computers, Access access)
{
    public ComputerAnswer Of(Computer computer, HttpContext context) => computers.Of(computer, context);

    public WorkspaceAnswer Of(Workspace workspace, HttpContext context)
    {
        var desktops = registry.In(workspace.Id).Select(computer => computers.Of(computer, context)).ToList();
        var role = access.RoleOf(context.Caller().AccountId, workspace.AccountId, workspace.Id) ?? WorkspaceRole.Viewer;
        return new WorkspaceAnswer(
            workspace.Id,
            workspace.Name,
            workspace.AccountId,
            workspace.Status,
            workspace.IconUrl,
            DateTimeOffset.FromUnixTimeMilliseconds(workspace.CreatedAt),
            DateTimeOffset.FromUnixTimeMilliseconds(workspace.UpdatedAt),
            desktops,
            desktops.Count,
            role.Wire());
    }
}
