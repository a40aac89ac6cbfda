using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>Every error of the API (reference section 1.2).</summary>
/// <param name="Error">What was tried, on what, what went wrong and what to do.</param>
/// <param name="RequestId">Names this request in the server's log.</param>
/// <param name="Code">Stable machine-readable code, where a client could act on it.</param>
/// <param name="UpstreamStatus">Status the desktop itself answered; absent where the error is the control plane's.</param>
/// <param name="KeyWorkspaceId">Workspace of the key, with <c>workspace_scope_mismatch</c> only.</param>
/// <param name="TargetWorkspaceId">Workspace of what was asked for, with <c>workspace_scope_mismatch</c> only.</param>
public sealed record ErrorAnswer(
    string Error,
    string RequestId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? UpstreamStatus = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? KeyWorkspaceId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TargetWorkspaceId = null);
