using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Plans;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Accounts;

/// <summary>API keys (reference sections 2 and 25.15). A key is its maker's, and can do what they can, in all their workspaces or in one.</summary>
internal sealed class KeyEndpoints(KeyRing keys, PlanBook plans, WorkspaceStore workspaces, Access access, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _making = new(1, 1);

    /// <summary>The caller's keys, or all that are limited to a workspace the caller runs.</summary>
    public async Task<IResult> ListAsync(HttpContext context)
    {
        var caller = context.Caller();
        if (context.Request.Query["workspace_id"].ToString() is not { Length: > 0 } id)
        {
            return Shown(keys.All.Where(key => key.AccountId == caller.AccountId));
        }

        var missing = $"No workspace {id}.";
        var workspace = await workspaces.FindAsync(id.ToLowerInvariant());
        var problem = workspace is null ? Problem.NotFound(missing) : access.Refusal(caller, ActionClass.Manage, workspace.AccountId, workspace.Id, missing);
        return problem ?? Shown(keys.All.Where(key => key.WorkspaceId == workspace!.Id));
    }

    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var caller = context.Caller();
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var name = fields.RequiredText(200, "name");
        var workspaceId = fields.Text(100, "workspace_id", "project_id", "workspaceId", "projectId")?.ToLowerInvariant();
        var expires = fields.Time("expires_at");
        if (expires <= clock.GetUtcNow())
        {
            fields.Refuse("expires_at", "must lie in the future");
        }

        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        if (workspaceId is not null)
        {
            var missing = $"No workspace {workspaceId}.";
            var workspace = await workspaces.FindAsync(workspaceId);
            if ((workspace is null ? Problem.NotFound(missing) : access.Refusal(caller, ActionClass.Read, workspace.AccountId, workspace.Id, missing)) is { } refusal)
            {
                return refusal;
            }

            context.Note(workspace!.Id, workspace.AccountId);
        }

        // One at a time, so that no two come past the plan's limit together.
        await _making.WaitAsync(context.RequestAborted);
        try
        {
            var plan = plans.Of(caller.AccountId);
            if (keys.All.Count(key => key.AccountId == caller.AccountId) is var used && used >= plan.MaxApiKeys)
            {
                return new Failure(
                    ErrorCodes.PlanLimit, $"API key limit reached: the plan {plan.Name} allows {plan.MaxApiKeys}, {used} are there.", "Delete one first.").AsProblem();
            }

            var (key, plaintext) = await keys.MakeAsync(caller.AccountId, workspaceId, name, expires);
            context.NoteTarget("api-key", key.Id);
            context.NoteDetail("name", name);
            context.Response.Headers.CacheControl = "no-store";
            return Results.Json(Shown(key) with { Key = plaintext }, ApiJson.Default.ApiKeyAnswer, statusCode: StatusCodes.Status201Created);
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>One's own, or one that is limited to a workspace the caller runs.</summary>
    public async Task<IResult> DeleteAsync(HttpContext context, string id)
    {
        var caller = context.Caller();
        if (keys.Key(id.ToLowerInvariant()) is not { } key || (key.AccountId != caller.AccountId && !await RunsAsync(caller, key.WorkspaceId)))
        {
            return Problem.NotFound($"No API key {id}.");
        }

        context.NoteTarget("api-key", key.Id);
        context.NoteDetail("name", key.Name);
        await keys.RevokeAsync(key);
        return Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    }

    public void Dispose() => _making.Dispose();

    private async Task<bool> RunsAsync(Caller caller, string? workspaceId) =>
        workspaceId is not null
        && await workspaces.FindAsync(workspaceId) is { } workspace
        && access.Allows(caller, ActionClass.Manage, workspace.AccountId, workspace.Id);

    private static IResult Shown(IEnumerable<ApiKey> keys) =>
        Results.Json(new ApiKeyList([.. keys.OrderBy(key => key.CreatedAt).Select(Shown)]), ApiJson.Default.ApiKeyList);

    private static ApiKeyAnswer Shown(ApiKey key) => new(
        key.Id,
        key.Name,
        key.Prefix,
        key.WorkspaceId,
        key.AccountId,
        DateTimeOffset.FromUnixTimeMilliseconds(key.CreatedAt),
        key.ExpiresAt is { } end ? DateTimeOffset.FromUnixTimeMilliseconds(end) : null,
        key.LastUsedAt is { } used ? DateTimeOffset.FromUnixTimeMilliseconds(used) : null);
}
