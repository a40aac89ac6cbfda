using System.Text.Json;
using System.Text.Json.Nodes;

namespace Carrel.Server.Audit;

/// <summary>What an endpoint tells the audit log about the request it serves.</summary>
internal sealed class AuditNote
{
    public string? WorkspaceId { get; set; }

    public string? OwnerId { get; set; }

    public string? TargetKind { get; set; }

    public string? TargetId { get; set; }

    /// <summary>Who asked, where there is no caller: at a login.</summary>
    public string? AccountId { get; set; }

    public string? Actor { get; set; }

    public JsonObject? Details { get; set; }
}

/// <summary>Marks an endpoint that the audit log is told of although it needs no key, or reads.</summary>
internal sealed class Audited
{
    public static readonly Audited Instance = new();
}

/// <summary>Marks an endpoint that is used so often, for so little, that the audit log is told of it only where asked to.</summary>
internal sealed class AuditedOnRequest
{
    public static readonly AuditedOnRequest Instance = new();
}

internal static class AuditExtensions
{
    private const int MostDetail = 300;

    public static TBuilder Audited<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(Audit.Audited.Instance);

    /// <summary>Only with the setting <c>audit_actions</c>.</summary>
    public static TBuilder AuditedOnRequest<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(Audit.AuditedOnRequest.Instance);

    public static AuditNote Note(this HttpContext context)
    {
        if (context.Features.Get<AuditNote>() is { } note)
        {
            return note;
        }

        note = new AuditNote();
        context.Features.Set(note);
        return note;
    }

    /// <summary>The request is about that workspace, or something in it.</summary>
    public static void Note(this HttpContext context, string workspaceId, string ownerId)
    {
        var note = context.Note();
        (note.WorkspaceId, note.OwnerId) = (workspaceId, ownerId);
    }

    /// <summary>The request is about that thing.</summary>
    public static void NoteTarget(this HttpContext context, string kind, string id)
    {
        var note = context.Note();
        (note.TargetKind, note.TargetId) = (kind, id);
    }

    /// <summary>A detail that is no secret.</summary>
    public static void NoteDetail(this HttpContext context, string name, string? value)
    {
        if (value is not null)
        {
            (context.Note().Details ??= [])[name] = JsonValue.Create(value.Length > MostDetail ? value[..MostDetail] : value);
        }
    }
}
