namespace Carrel.Contracts.Api;

/// <summary>What a computer uses now and used before, in the shape that charts take: one time per step, and series of the same length.</summary>
/// <param name="Step">Seconds between two points.</param>
/// <param name="Current">Null while nothing of it runs.</param>
/// <param name="Timestamps">Unix seconds at which each step begins.</param>
public sealed record MetricsAnswer(
    string ComputerId,
    string Status,
    DateTimeOffset From,
    DateTimeOffset To,
    int Step,
    MetricsNow? Current,
    IReadOnlyList<long> Timestamps,
    MetricsSeries Series);

/// <summary>A computer's use now; rates are those of the last ten seconds, null before the first of them is over.</summary>
/// <param name="CpuPercent">100 is one CPU.</param>
/// <param name="CpuThrottledPercent">Of the time, how much its processes were held back by the CPU limit, summed over its CPUs.</param>
/// <param name="CpuLimitPercent">What it may use.</param>
/// <param name="MemoryBytes">Page cache included.</param>
/// <param name="MemoryUsedBytes">Without page cache.</param>
/// <param name="DiskUsedBytes">As df counts inside.</param>
/// <param name="Processes">Processes and threads.</param>
public sealed record MetricsNow(
    DateTimeOffset At,
    double? CpuPercent,
    double? CpuThrottledPercent,
    double CpuLimitPercent,
    long MemoryBytes,
    long MemoryUsedBytes,
    long MemoryLimitBytes,
    long DiskUsedBytes,
    long DiskSizeBytes,
    double? NetworkReceivedBytesPerSecond,
    double? NetworkSentBytesPerSecond,
    int Processes);

/// <summary>Averages over each step; null where the computer did not run, or nothing is known.</summary>
public sealed record MetricsSeries(
    IReadOnlyList<double?> CpuPercent,
    IReadOnlyList<double?> CpuThrottledPercent,
    IReadOnlyList<double?> MemoryBytes,
    IReadOnlyList<double?> MemoryUsedBytes,
    IReadOnlyList<double?> DiskUsedBytes,
    IReadOnlyList<double?> NetworkReceivedBytesPerSecond,
    IReadOnlyList<double?> NetworkSentBytesPerSecond,
    IReadOnlyList<double?> Processes);
