using Carrel.Server.Accounts;
using Carrel.Server.Hosting;

namespace Carrel.Server.Audit;

/// <summary>
/// Tells the audit log of every request that changes something: before its answer goes out, so that nothing that was answered is missing.
/// Which those are: all by a known caller that are no reading, and what is marked. Actions on a desktop are told of only where the operator wants
/// them, and nobody waits for that.
/// </summary>
internal sealed class Auditing(AuditLog log, UserDirectory users, Settings settings) : IMiddleware
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<AuditedOnRequest>() is not null)
        {
            await next(context);
            if (settings.AuditActions && context.Features.Get<Caller>() is not null)
            {
                await log.AddAsync(EntryOf(context));
            }

            return;
        }

        if (metadata?.GetMetadata<Audited>() is null && (metadata is null || HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            await next(context);
            return;
        }

        var isMarked = metadata.GetMetadata<Audited>() is not null;
        var isTold = false;
        context.Response.OnStarting(() =>
        {
            isTold = true;
            return IsOfInterest(context, isMarked) ? log.WriteAsync(EntryOf(context)) : Task.CompletedTask;
        });
        try
        {
            await next(context);
        }
        finally
        {
            // A client that did not wait for its answer has still done what it did.
            if (!isTold && context.RequestAborted.IsCancellationRequested && IsOfInterest(context, isMarked))
            {
                await log.WriteAsync(EntryOf(context) with { Status = 499 });
            }
        }
    }

    /// <summary>Of those whom nobody knows only logins, and of these not what was no try at all: else anybody could fill the disk.</summary>
    private static bool IsOfInterest(HttpContext context, bool isMarked) =>
        context.Features.Get<Caller>() is not null
        || (isMarked && (context.Response.StatusCode == StatusCodes.Status401Unauthorized || context.Note().AccountId is not null));

    private AuditEntry EntryOf(HttpContext context)
    {
        var (note, caller) = (context.Note(), context.Features.Get<Caller>());
        var account = caller?.AccountId ?? note.AccountId;
        var (kind, target) = note.TargetId is not null ? (note.TargetKind, note.TargetId) : TargetOf(context);
        return new AuditEntry
        {
            AccountId = account,
            Actor = account is null ? note.Actor : users.NameOf(account) ?? note.Actor,
            KeyId = caller is not null && caller.KeyId != caller.SessionId ? caller.KeyId : null,
            SessionId = caller?.SessionId,
            Address = Sessions.AddressOf(context),
            Action = context.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName ?? context.GetEndpoint()?.DisplayName ?? "",
            Method = context.Request.Method,
            TargetKind = kind,
            TargetId = target,
            WorkspaceId = note.WorkspaceId,
            OwnerId = note.OwnerId,
            Status = context.Response.StatusCode,
            RequestId = context.TraceIdentifier,
            Details = note.Details?.ToJsonString(),
        };
    }

    /// <summary>Of a route like /api/computers/{id}/...: that computer, as the request names it.</summary>
    private static (string? Kind, string? Id) TargetOf(HttpContext context)
    {
        if (context.Request.RouteValues.GetValueOrDefault("id")?.ToString() is not { } id)
        {
            return (null, null);
        }

        var path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var kind = path.Length > 1 && path[0] == "api" ? path[1] : null;
        return (kind switch { "computers" or "desktops" => "computer", "workspaces" or "projects" => "workspace", null => null, _ => kind.TrimEnd('s') }, id);
    }
}
