using Carrel.Machines;

namespace Carrel.Server.Metrics;

/// <summary>What a computer used over a stretch of time: sums of what is counted, averages of what has a level.</summary>
/// <param name="From">Unix milliseconds.</param>
/// <param name="To">Unix milliseconds.</param>
/// <param name="CpuSeconds">CPU time; so <c>CpuSeconds / Seconds</c> is the number of CPUs kept busy.</param>
/// <param name="Memory">Bytes, page cache included.</param>
/// <param name="MemoryInUse">Bytes, without page cache.</param>
internal readonly record struct Usage(
    long From,
    long To,
    double CpuSeconds,
    double ThrottledSeconds,
    double ReceivedBytes,
    double SentBytes,
    double Memory,
    double MemoryInUse,
    double DiskUsed,
    double Processes)
{
    public double Seconds => (To - From) / 1000.0;

    /// <summary>Between two looks at the same machine.</summary>
    public static Usage Between(long from, MachineStats before, long to, MachineStats now) => new(
        from,
        to,
        (now.CpuTime - before.CpuTime).TotalSeconds,
        (now.ThrottledTime - before.ThrottledTime).TotalSeconds,
        now.ReceivedBytes - before.ReceivedBytes,
        now.SentBytes - before.SentBytes,
        now.MemoryBytes,
        now.MemoryInUseBytes,
        now.FileSystemUsedBytes,
        now.Processes);

    /// <summary>Several stretches as one; null of none. What lies between them is not counted.</summary>
    public static Usage? Sum(IReadOnlyCollection<Usage> parts)
    {
        var time = parts.Sum(part => part.Seconds);
        if (time <= 0)
        {
            return null;
        }

        var from = parts.Min(part => part.From);
        double Level(Func<Usage, double> of) => parts.Sum(part => of(part) * part.Seconds) / time;
        return new Usage(
            from,
            from + (long)Math.Round(time * 1000),
            parts.Sum(part => part.CpuSeconds),
            parts.Sum(part => part.ThrottledSeconds),
            parts.Sum(part => part.ReceivedBytes),
            parts.Sum(part => part.SentBytes),
            Level(part => part.Memory),
            Level(part => part.MemoryInUse),
            Level(part => part.DiskUsed),
            Level(part => part.Processes));
    }
}
