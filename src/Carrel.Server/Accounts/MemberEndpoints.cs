using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Plans;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Accounts;

/// <summary>Who shares a workspace (reference sections 3 and 25.15).</summary>
internal sealed class MemberEndpoints(WorkspaceStore workspaces, Memberships members, UserDirectory users, UserEndpoints people, Access access, PlanGuard plans)
{
    public async Task<IResult> ListAsync(HttpContext context, string id)
    {
        var (workspace, problem) = await FindAsync(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var owner = Shown(workspace!.AccountId, WorkspaceRole.Owner, workspace.CreatedAt);
        var others = (await members.OfAsync(workspace.Id)).Select(member => Shown(member.UserId, Roles.Parse(member.Role)!.Value, member.CreatedAt));
        return Results.Json(new MemberList([owner, .. others]), ApiJson.Default.MemberList);
    }

    /// <summary>Shares the workspace with a user, or with somebody new, who gets a link to set a password. No mail is sent from here.</summary>
    public async Task<IResult> AddAsync(HttpContext context, string id)
    {
        var (workspace, problem) = await FindAsync(context, id, changes: true);
        if (problem is not null)
        {
            return problem;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var email = UserEndpoints.Email(read.Value);
        var role = Role(read.Value, read.Value.Text(20, "role", "permission") ?? "viewer");
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var link = default((string Token, DateTimeOffset Expires)?);
        if (users.FindByEmail(email) is not { } user)
        {
            var made = await users.CreateAsync(email, email, User.Ordinary, people.DefaultPlan, null);
            if (!made.Succeeded)
            {
                return made.Failure.AsProblem();
            }

            user = made.Value;
            var token = await users.NewLinkAsync(user.Id);
            if (!token.Succeeded)
            {
                return token.Failure.AsProblem();
            }

            link = token.Value;
        }

        if (user.Id == workspace!.AccountId)
        {
            return new Failure(ErrorCodes.InvalidField, $"{user.Email} already owns this workspace.").AsProblem();
        }

        await members.SetAsync(workspace.Id, user.Id, role);
        context.NoteTarget("user", user.Id);
        context.NoteDetail("role", role.Wire());
        context.Response.Headers.CacheControl = "no-store";
        var answer = Shown(user.Id, role, await SinceAsync(workspace.Id, user.Id));
        return Results.Json(
            link is { } fresh ? answer with { PasswordLink = people.LinkOf(context.Request, fresh.Token), PasswordLinkExpiresAt = fresh.Expires } : answer,
            ApiJson.Default.MemberAnswer,
            statusCode: StatusCodes.Status201Created);
    }

    public async Task<IResult> ChangeAsync(HttpContext context, string id, string user)
    {
        var (workspace, problem) = await FindAsync(context, id, changes: true);
        if (problem is not null)
        {
            return problem;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var wanted = read.Value.RequiredText(20, "role", "permission");
        var role = wanted == "owner" ? WorkspaceRole.Owner : Role(read.Value, wanted);
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var (memberId, missing) = Member(workspace!, user);
        if (missing is not null)
        {
            return missing;
        }

        context.NoteTarget("user", memberId!);
        context.NoteDetail("role", wanted);
        if (role == WorkspaceRole.Owner)
        {
            return await TransferAsync(context, workspace!, memberId!);
        }

        await members.SetAsync(workspace!.Id, memberId!, role);
        return Results.Json(Shown(memberId!, role, await SinceAsync(workspace.Id, memberId!)), ApiJson.Default.MemberAnswer);
    }

    /// <summary>Members may leave; others are removed by who runs the workspace.</summary>
    public async Task<IResult> RemoveAsync(HttpContext context, string id, string user)
    {
        var (workspace, problem) = await FindAsync(context, id, changes: true);
        if (problem is not null)
        {
            return problem;
        }

        var (memberId, missing) = Member(workspace!, user);
        var caller = context.Caller();
        if ((memberId == caller.AccountId ? null : access.Refusal(caller, ActionClass.Manage, workspace!.AccountId, workspace.Id, "")) is { } refusal)
        {
            return refusal;
        }

        if (missing is not null)
        {
            return missing;
        }

        context.NoteTarget("user", memberId!);
        await members.RemoveAsync(workspace!.Id, memberId!);
        return Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    }

    private async Task<IResult> TransferAsync(HttpContext context, Workspace workspace, string to)
    {
        var refusal = access.Refusal(context.Caller(), ActionClass.Own, workspace.AccountId, workspace.Id, "");
        if (refusal is not null)
        {
            return refusal;
        }

        if (plans.ForTransfer(workspace.Id, to) is { } tooMuch)
        {
            return (tooMuch with { Message = $"The new owner's plan does not admit this workspace: {tooMuch.Message}" }).AsProblem();
        }

        return await members.TransferAsync(workspace.Id, workspace.AccountId, to)
            ? Results.Json(Shown(to, WorkspaceRole.Owner, workspace.CreatedAt), ApiJson.Default.MemberAnswer)
            : new Failure(ErrorCodes.NameTaken, $"The new owner has a workspace named {workspace.Name}, so one named so already exists.", "Rename one first.").AsProblem();
    }

    /// <param name="changes">Not with a key that is limited to the workspace: it must not outlive itself in somebody it let in.</param>
    private async Task<(Workspace? Workspace, Problem? Problem)> FindAsync(HttpContext context, string id, bool changes = false)
    {
        var missing = $"No workspace {id}.";
        var workspace = await workspaces.FindAsync(id.ToLowerInvariant());
        var problem = workspace is null ? Problem.NotFound(missing) : context.Refusal(workspace.AccountId, workspace.Id, missing);
        problem ??= changes && context.Caller() is { WorkspaceId: not null } limited ? limited.Mismatch(null) : null;
        return problem is null ? (workspace, null) : (null, problem);
    }

    /// <summary>A member by id or e-mail address.</summary>
    private (string? Id, Problem? Missing) Member(Workspace workspace, string user)
    {
        var id = user.Contains('@', StringComparison.Ordinal) ? users.FindByEmail(user)?.Id : user.ToLowerInvariant();
        return id is null ? (null, Problem.NotFound($"{user} is no member of this workspace."))
            : id == workspace.AccountId ? (id, new Failure(ErrorCodes.InvalidField, "The owner stays, until the workspace is given to another member.").AsProblem())
            : members.RoleOf(workspace.Id, id) is null ? (id, Problem.NotFound($"{user} is no member of this workspace."))
            : (id, null);
    }

    private async Task<long> SinceAsync(string workspaceId, string userId) =>
        (await members.OfAsync(workspaceId)).FirstOrDefault(member => member.UserId == userId)?.CreatedAt ?? 0;

    private static WorkspaceRole Role(JsonFields fields, string role)
    {
        if (!Roles.OfMembers.Contains(role))
        {
            fields.Refuse("role", $"must be one of {string.Join(", ", Roles.OfMembers)}");
        }

        return Roles.Parse(role) ?? WorkspaceRole.Viewer;
    }

    private MemberAnswer Shown(string userId, WorkspaceRole role, long since)
    {
        var user = users.Find(userId);
        return new MemberAnswer(userId, user?.Email ?? "", user?.Name ?? "", role.Wire(), role.Wire(), DateTimeOffset.FromUnixTimeMilliseconds(since));
    }
}
