using Carrel.Contracts;
using Carrel.Server.Errors;

namespace Carrel.Server.Accounts;

/// <summary>Who a request speaks for.</summary>
/// <param name="WorkspaceId">The one workspace its key may use; null for an account-wide key.</param>
internal sealed record Caller(string AccountId, string KeyId, string? WorkspaceId)
{
    /// <summary>Null where the caller may use that workspace. A foreign account's things do not exist for it (404).</summary>
    public Problem? Refusal(string accountId, string workspaceId, string what)
    {
        if (accountId != AccountId)
        {
            return Problem.NotFound(what);
        }

        return WorkspaceId is null || WorkspaceId == workspaceId ? null : Mismatch(workspaceId);
    }

    public Problem Mismatch(string? workspaceId) =>
        new(new Failure(
            ErrorCodes.WorkspaceScopeMismatch,
            "Access denied: this API key is limited to another workspace.",
            "Use a key of that workspace or an account-wide one."))
        {
            KeyWorkspaceId = WorkspaceId,
            TargetWorkspaceId = workspaceId,
        };
}

internal static class CallerExtensions
{
    /// <summary>The caller that <see cref="Authentication"/> found; there is one on every endpoint that needs a key.</summary>
    public static Caller Caller(this HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("the endpoint does not require a key");
}
