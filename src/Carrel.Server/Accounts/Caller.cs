using Carrel.Contracts;
using Carrel.Server.Errors;

namespace Carrel.Server.Accounts;

/// <summary>Who a request speaks for.</summary>
/// <param name="AccountId">The account of the user, and by that the user.</param>
/// <param name="KeyId">Its key, or its session where that was begun with a password.</param>
/// <param name="WorkspaceId">The one workspace its key may use; null for an account-wide key.</param>
/// <param name="SessionId">The browser session it came by; null where it presented a key.</param>
internal sealed record Caller(string AccountId, string KeyId, string? WorkspaceId, string? SessionId = null)
{
    /// <summary>What its requests are counted by.</summary>
    public string CountedAs => SessionId ?? KeyId;

    public Problem Mismatch(string? workspaceId) =>
        new(new Failure(
            ErrorCodes.WorkspaceScopeMismatch,
            workspaceId is null ? "Access denied: this API key is limited to one workspace." : "Access denied: this API key is limited to another workspace.",
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
