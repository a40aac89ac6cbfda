using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>Body of <c>PATCH /computers/{id}</c>: what is absent stays.</summary>
/// <param name="Name">1-200 characters; unique in the workspace.</param>
/// <param name="AutoStopMinutes">Stop it after so long without use; 0 never.</param>
/// <param name="AutoStart">Whether a call that needs its desktop starts it.</param>
public sealed record ComputerChangeRequest(string? Name = null, int? AutoStopMinutes = null, bool? AutoStart = null);

/// <summary>Body of <c>PATCH /computers/{id}/move</c> (reference section 4.12).</summary>
/// <param name="WorkspaceId">Also taken as <c>project_id</c>.</param>
public sealed record MoveRequest([property: JsonRequired] string WorkspaceId);

/// <summary>Where a computer is now.</summary>
public sealed record MoveAnswer(bool Success, string WorkspaceId, string ProjectId);

/// <summary>Body of <c>POST /computers/{id}/star</c>.</summary>
/// <param name="Starred">Default true.</param>
public sealed record StarRequest(bool? Starred = null);

/// <summary>Whether a computer is starred now.</summary>
public sealed record StarAnswer(bool Success, bool Starred);

/// <summary>Some computers.</summary>
public sealed record ComputerList(IReadOnlyList<ComputerAnswer> Computers);

/// <summary>When a computer stops by itself (reference section 4.13).</summary>
/// <param name="AutoStopMinutes">0: never.</param>
public sealed record AutoStopAnswer(int AutoStopMinutes, bool Configurable);

/// <summary>Body of <c>PATCH /computers/{id}/auto-stop</c>.</summary>
/// <param name="AutoStopMinutes">0-525600; 0: never. Also taken as <c>minutes</c>.</param>
public sealed record AutoStopRequest([property: JsonRequired] int AutoStopMinutes);

/// <summary>Answer of that.</summary>
/// <param name="AutoSuspendAfter">The same in seconds, as <c>900s</c>.</param>
public sealed record AutoStopChanged(int AutoStopMinutes, string AutoSuspendAfter);

/// <summary>Body of <c>PATCH /workspaces/{id}</c>: what is absent stays.</summary>
/// <param name="IconUrl">Empty takes it away.</param>
/// <param name="Status"><c>active</c> or <c>inactive</c>.</param>
public sealed record WorkspaceChangeRequest(string? Name = null, string? IconUrl = null, string? Status = null);

/// <summary>What became of an order to all computers of a workspace.</summary>
/// <param name="Success">All of them did it, or with <c>?async=true</c> took it.</param>
public sealed record WorkspaceOrderAnswer(bool Success, IReadOnlyList<WorkspaceOrderResult> Results);

/// <summary>What became of it at one computer.</summary>
/// <param name="Ok">It is where it was asked to be, or with <c>?async=true</c> will be brought there.</param>
/// <param name="Status">The computer's now.</param>
public sealed record WorkspaceOrderResult(
    string Id,
    string Name,
    bool Ok,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? OperationId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? OperationUrl = null);

/// <summary>Operations of a computer, the newest first.</summary>
public sealed record OperationList(IReadOnlyList<OperationAnswer> Operations);
