using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>A computer (reference sections 4.1 and 25.3).</summary>
/// <param name="Ram">GB.</param>
/// <param name="Cpu">CPU time per wall time, in CPUs.</param>
/// <param name="Resolution"><c>WIDTHxHEIGHTxDEPTH</c>.</param>
/// <param name="Status">creating, starting, running, stopping, stopped, restarting, suspended, deleting or error.</param>
/// <param name="StatusReason">Why it has this status, where that is not what was asked for.</param>
/// <param name="VncPassword">Opens VNC and the sockets, for those who may use the computer; new at every start.</param>
/// <param name="Isolation">How its machine is fenced off.</param>
/// <param name="AutoStart">Whether a call that needs its desktop starts it.</param>
/// <param name="MemorySurvivesStop">Whether a stop keeps memory as well as the disk.</param>
/// <param name="MemorySurvivesSuspend">Whether it can be suspended, which keeps memory for as long as the host runs.</param>
/// <param name="OperationId">Of a create with <c>?async=true</c>: what to ask <c>GET /operations/{operation_id}</c> for.</param>
public sealed record ComputerAnswer(
    string Id,
    string Name,
    string WorkspaceId,
    string ProjectId,
    string ProjectName,
    string Os,
    int Ram,
    double Cpu,
    int DiskSizeGb,
    string Resolution,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? StatusReason,
    int? AutoStopMinutes,
    bool AutoStart,
    bool Starred,
    string Url,
    DateTimeOffset CreatedAt,
    string InstanceId,
    string FlyInstanceId,
    string Hostname,
    string ConnectionUrl,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? VncPassword,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] InstanceDetails? InstanceDetails,
    Permissions Permissions,
    string Isolation,
    bool MemorySurvivesStop,
    bool MemorySurvivesSuspend,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? OperationId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? OperationUrl = null);

/// <summary>How to reach a running computer's own API: <c>http://{publicHost}:{apiPort}/...</c> with its token.</summary>
public sealed record InstanceDetails(
    [property: JsonPropertyName("publicHost")] string PublicHost,
    [property: JsonPropertyName("vncHost")] string VncHost,
    [property: JsonPropertyName("apiPort")] int ApiPort,
    [property: JsonPropertyName("vncPassword")] string VncPassword,
    [property: JsonPropertyName("webUrl")] string WebUrl,
    [property: JsonPropertyName("websockifyUrl")] string WebsockifyUrl,
    string DesktopApiToken);

/// <summary>What the caller may do with a computer: use it; delete, resize and move it.</summary>
public sealed record Permissions([property: JsonPropertyName("canWrite")] bool CanWrite, [property: JsonPropertyName("canManage")] bool CanManage);

/// <summary>Body of <c>POST /computers</c> (reference section 4.3).</summary>
/// <param name="WorkspaceId">Also taken as <c>project_id</c>.</param>
/// <param name="Name">1-200 characters; unique in the workspace.</param>
/// <param name="Os"><c>linux</c>.</param>
/// <param name="Cpu">0.5, 1 (default), 2, 4, 8 or 16.</param>
/// <param name="Ram">GB: 1, 2, 4 (default), 8, 16, 32 or 64.</param>
/// <param name="DiskSizeGb">1-1024, default 8.</param>
/// <param name="Resolution"><c>WxH</c> or <c>WxHxD</c>, default 1280x720x24; 320-7680 by 200-4320, depth 16 or 24.</param>
/// <param name="AutoStopMinutes">0 (default) keeps it on.</param>
/// <param name="AutoStart">Whether a call that needs its desktop starts it; default false.</param>
/// <param name="Image">An old generation's Docker reference; taken and ignored.</param>
/// <param name="Gpu">An old generation's field; taken and ignored.</param>
/// <param name="SnapshotId">Begin with the disk of this snapshot; its sizes are the defaults then, and the disk cannot be smaller.</param>
public sealed record CreateComputerRequest(
    [property: JsonRequired] string WorkspaceId,
    [property: JsonRequired] string Name,
    string? Os = null,
    double? Cpu = null,
    int? Ram = null,
    int? DiskSizeGb = null,
    string? Resolution = null,
    int? AutoStopMinutes = null,
    bool? AutoStart = null,
    string? Image = null,
    string? Gpu = null,
    string? SnapshotId = null);

/// <summary>Body of <c>POST /computers/{id}/clone</c> (reference section 4.9).</summary>
/// <param name="Name">1-200 characters; left out, the next free of <c>name (clone)</c>, <c>name (clone 2)</c> and so on.</param>
/// <param name="TargetProjectId">Workspace of the clone, the source's own if left out; also <c>workspace_id</c> and the like.</param>
public sealed record CloneRequest(string? Name = null, [property: JsonPropertyName("targetProjectId")] string? TargetProjectId = null);

/// <summary>Answer of start, stop, restart, suspend and resume: the status the computer has now.</summary>
/// <param name="MemoryKept">Of suspend: whether memory and processes are kept.</param>
/// <param name="OperationId">With <c>?async=true</c>: what to ask <c>GET /computers/{id}/operations/{operation_id}</c> for.</param>
public sealed record LifecycleAnswer(
    bool Success,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? OperationId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? OperationUrl = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? MemoryKept = null);

/// <summary>A long piece of work on a computer (reference section 4.7).</summary>
/// <param name="Kind">create, start, stop, restart, suspend, resume, restore or delete.</param>
/// <param name="Status">queued, running, succeeded, failed, or needs_review where nobody can tell how it ended.</param>
/// <param name="Error">Why it failed.</param>
public sealed record OperationAnswer(
    string Id,
    string DesktopId,
    string Kind,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt);

/// <summary>Secrets of a running computer (reference section 4.10).</summary>
public sealed record VncPasswordAnswer(string Password, string DesktopApiToken);
