using System.Globalization;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Errors;

namespace Carrel.Server.Audit;

internal static class AuditRoutes
{
    private const int MostEntries = 1000;
    private const int FewEntries = 100;

    private static readonly QueryParameters Parameters = new([
        ("from", "string", "Only from this time on, such as 2026-01-31T12:00:00Z."),
        ("to", "string", "Only before this time."),
        ("user", "string", "Only what this user did, by id or e-mail address."),
        ("action", "string", "Only this operation, by its operationId."),
        ("target", "string", "Only what was done to the thing of this id."),
        ("workspace_id", "string", "Only what was done in this workspace."),
        ("limit", "integer", "How many at most: 1 to 1000, default 100."),
        ("cursor", "string", "The next_cursor of the page before."),
    ]);

    public static void AddAudit(this IServiceCollection services)
    {
        services.AddSingleton<AuditStore>().AddSingleton<Auditing>().AddSingleton<AuditLog>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditLog>());
    }

    public static void MapAudit(this IEndpointRouteBuilder api) =>
        api.MapGet("/audit-log", ListAsync).NeedsKey().Needs(ActionClass.Account)
            .WithTags("Accounts").WithName("listAuditLog").WithMetadata(Parameters)
            .WithSummary("Who did what, the newest first: what the caller did and what was done in their workspaces; everything, for operators.")
            .Produces<AuditList>().Fails(400);

    private static async Task<IResult> ListAsync(HttpContext context, AuditStore store, UserDirectory users)
    {
        var (query, caller) = (context.Request.Query, context.Caller());
        var (from, to) = (Time("from"), Time("to"));
        if (from is < 0 || to is < 0)
        {
            return new Failure(ErrorCodes.InvalidField, $"The query parameter {(from is < 0 ? "from" : "to")} must be a time such as 2026-01-31T12:00:00Z.").AsProblem();
        }

        var limit = FewEntries;
        if (Text("limit") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MostEntries))
        {
            return new Failure(ErrorCodes.InvalidField, $"The query parameter limit must be from 1 to {MostEntries}.").AsProblem();
        }

        var found = await store.FindAsync(new AuditQuery(
            users.IsOperator(caller.AccountId) ? null : caller.AccountId,
            from,
            to,
            Text("user")?.ToLowerInvariant(),
            Text("action"),
            Text("target"),
            Text("workspace_id")?.ToLowerInvariant(),
            Text("cursor"),
            limit + 1));
        var page = found.Take(limit).ToList();
        return Results.Json(new AuditList([.. page.Select(Shown)], found.Count > limit ? page[^1].Id : null), ApiJson.Default.AuditList);

        string? Text(string name) => query[name].ToString() is { Length: > 0 } value ? value : null;

        long? Time(string name) => Text(name) is not { } value ? null
            : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeMilliseconds() : -1;
    }

    private static AuditAnswer Shown(AuditEntry entry) => new(
        entry.Id,
        DateTimeOffset.FromUnixTimeMilliseconds(entry.At),
        entry.AccountId,
        entry.Actor,
        entry.KeyId,
        entry.SessionId,
        entry.Address,
        entry.Action,
        entry.Method,
        entry.TargetKind,
        entry.TargetId,
        entry.WorkspaceId,
        entry.Status,
        entry.RequestId,
        entry.Details is null ? null : JsonSerializer.Deserialize(entry.Details, ApiJson.Default.JsonElement));
}
