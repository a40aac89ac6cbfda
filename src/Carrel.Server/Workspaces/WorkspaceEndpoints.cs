using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.State;

namespace Carrel.Server.Workspaces;

/// <summary>Workspaces, under their name of today and of old (reference sections 3 and 25.2).</summary>
internal sealed class WorkspaceEndpoints(WorkspaceStore store, WorkspaceDeletion deletion, WorkspaceViews views, IIdFactory ids, TimeProvider clock)
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
        if (workspace.Status is not ("active" or "inactive"))
        {
            fields.Refuse("status", "must be active or inactive");
        }

        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        if (!await store.InsertAsync(workspace))
        {
            var taken = new Failure(ErrorCodes.NameTaken, $"A workspace named {workspace.Name} already exists.", "Choose another name.");
            return new Problem(taken) { Status = StatusCodes.Status400BadRequest };
        }

        context.Note(workspace.Id, workspace.AccountId);
        context.NoteTarget("workspace", workspace.Id);
        return Results.Json(views.Of(workspace, context), ApiJson.Default.WorkspaceAnswer, statusCode: StatusCodes.Status201Created);
    }

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

    public async Task<IResult> GetByNameAsync(HttpContext context, string name) =>
        Show(context, await store.FindByNameAsync(context.Caller().AccountId, name), $"No workspace named {name}.");

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
