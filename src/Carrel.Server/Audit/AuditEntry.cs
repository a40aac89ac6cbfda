namespace Carrel.Server.Audit;

/// <summary>A row of <c>audit_log</c>; its time is in Unix milliseconds.</summary>
internal sealed record AuditEntry
{
    /// <summary>Sorts by time.</summary>
    public string Id { get; init; } = "";

    public long At { get; init; }

    /// <summary>The account that asked; null where nobody is known.</summary>
    public string? AccountId { get; init; }

    /// <summary>Who that was, by the name they then had.</summary>
    public string? Actor { get; init; }

    public string? KeyId { get; init; }

    public string? SessionId { get; init; }

    public string Address { get; init; } = "";

    /// <summary>Name of the route.</summary>
    public string Action { get; init; } = "";

    public string Method { get; init; } = "";

    public string? TargetKind { get; init; }

    public string? TargetId { get; init; }

    public string? WorkspaceId { get; init; }

    /// <summary>The account that owned the workspace.</summary>
    public string? OwnerId { get; init; }

    public int Status { get; init; }

    public string RequestId { get; init; } = "";

    /// <summary>A small JSON object, without secrets.</summary>
    public string? Details { get; init; }
}
