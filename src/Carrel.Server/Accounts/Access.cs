using Carrel.Contracts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;

namespace Carrel.Server.Accounts;

/// <summary>
/// The one place that says who may do what with a workspace and what is in it. What is neither the caller's nor shared with
/// them does not exist for them (404); what they can see and may not do is 403.
/// </summary>
internal sealed class Access(Memberships members, UserDirectory users)
{
    /// <summary>Null where the workspace is nothing to the caller.</summary>
    /// <param name="ownerId">The account it belonged to when it was read.</param>
    public WorkspaceRole? RoleOf(string accountId, string ownerId, string workspaceId) =>
        members.OwnerOf(workspaceId, ownerId) == accountId ? WorkspaceRole.Owner : members.RoleOf(workspaceId, accountId);

    /// <summary>Null where the caller may do <paramref name="needed"/> there.</summary>
    /// <param name="missing">What to say where it does not exist for the caller.</param>
    public Problem? Refusal(Caller caller, ActionClass needed, string ownerId, string workspaceId, string missing)
    {
        if (RoleOf(caller.AccountId, ownerId, workspaceId) is not { } role)
        {
            return Problem.NotFound(missing);
        }

        if (caller.WorkspaceId is { } only && only != workspaceId)
        {
            return caller.Mismatch(workspaceId);
        }

        return Roles.Allows(role, needed) ? null : Denied(role, needed);
    }

    /// <summary>Null where the caller may do what this request's route does; also notes what the request is about, for the audit log.</summary>
    public Problem? Refusal(HttpContext context, string ownerId, string workspaceId, string missing)
    {
        var refusal = Refusal(context.Caller(), Needs.Of(context), ownerId, workspaceId, missing);
        if (refusal is null || refusal.Failure.Code != ErrorCodes.NotFound)
        {
            context.Note(workspaceId, members.OwnerOf(workspaceId, ownerId));
        }

        return refusal;
    }

    public bool Allows(Caller caller, ActionClass needed, string ownerId, string workspaceId) => Refusal(caller, needed, ownerId, workspaceId, "") is null;

    /// <summary>Null where the caller may use a route that is about no workspace.</summary>
    public Problem? RefusalOfAccount(Caller caller, ActionClass needed)
    {
        if (needed is not (ActionClass.Account or ActionClass.Operate))
        {
            return null;
        }

        if (caller.WorkspaceId is not null)
        {
            return caller.Mismatch(null);
        }

        return needed == ActionClass.Operate && !users.IsOperator(caller.AccountId)
            ? new Failure(ErrorCodes.AccessDenied, "Access denied: only operators of this installation may do that.").AsProblem()
            : null;
    }

    private static Problem Denied(WorkspaceRole role, ActionClass needed) => new Failure(
        ErrorCodes.AccessDenied,
        $"Access denied: as {role.Wire()} of this workspace you may not do that.",
        needed == ActionClass.Own ? "Only its owner may." : $"Ask its owner for the role {(needed == ActionClass.Use ? WorkspaceRole.Member : WorkspaceRole.Admin).Wire()}.").AsProblem();
}

internal static class AccessExtensions
{
    /// <summary>Null where the caller may do what this request's route does, in that workspace.</summary>
    public static Problem? Refusal(this HttpContext context, string ownerId, string workspaceId, string missing) =>
        context.RequestServices.GetRequiredService<Access>().Refusal(context, ownerId, workspaceId, missing);
}
