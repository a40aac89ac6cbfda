using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>Body of <c>PATCH /computers/{id}/resize</c> (reference section 4.11). What is left out stays.</summary>
/// <param name="Vcpus">0.5, 1, 2, 4, 8 or 16.</param>
/// <param name="MemGb">1, 2, 4, 8, 16, 32 or 64.</param>
/// <param name="DiskSizeGb">1-1024; a disk only grows.</param>
/// <param name="BandwidthLimitMbps">0-100000, each way; 0 is unlimited.</param>
/// <param name="AutoStopMinutes">0 keeps it on.</param>
public sealed record ResizeRequest(
    double? Vcpus = null, int? MemGb = null, int? DiskSizeGb = null, int? BandwidthLimitMbps = null, int? AutoStopMinutes = null);

/// <summary>The size a computer has now, and what became of each dimension that was asked for.</summary>
/// <param name="BandwidthLimitMbps">0 is unlimited.</param>
/// <param name="AutoStopMinutes">Only where it was sent.</param>
/// <param name="Results">By <c>vcpus</c>, <c>mem_mb</c>, <c>disk_gb</c> and <c>bandwidth_limit_mbps</c>; only where one was asked for.</param>
/// <param name="Partial">Some dimensions were applied and some were not (207).</param>
/// <param name="Error">Where none was applied (422): why.</param>
public sealed record ResizeAnswer(
    double Vcpus,
    int MemGb,
    int DiskSizeGb,
    int BandwidthLimitMbps,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? AutoStopMinutes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, ResizeResult>? Results,
    bool Partial,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RequestId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code = null);

/// <summary>What became of one dimension.</summary>
/// <param name="Applied">What is in force now, whether or not it is what was asked for.</param>
public sealed record ResizeResult(
    double Requested, double Applied, bool Ok, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);
