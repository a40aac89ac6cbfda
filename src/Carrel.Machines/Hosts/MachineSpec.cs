namespace Carrel.Machines;

/// <summary>What to launch. Who the machine is (token, passwords, host name) is told to deskd afterwards.</summary>
/// <param name="Id">8 lowercase hex digits; names every resource the machine acquires on the host.</param>
/// <param name="Limits">All dimensions set.</param>
/// <param name="Width">Pixels of the first screen, 320-7680.</param>
/// <param name="Height">Pixels of the first screen, 200-4320.</param>
/// <param name="Depth">Colour depth of the X server: 16 or 24.</param>
/// <param name="HostName">Host name inside; letters, digits and dashes, at most 63.</param>
public sealed record MachineSpec(string Id, MachineLimits Limits, int Width, int Height, int Depth, string HostName);

/// <summary>Limits of a machine; null leaves a dimension as it is.</summary>
/// <param name="Cpus">CPU time per wall time, in CPUs (0.5 is half of one).</param>
/// <param name="MemoryBytes">Memory limit, bytes; there is no swap.</param>
/// <param name="DiskBytes">Size of the writable disk, bytes; can only grow.</param>
/// <param name="Processes">Processes and threads.</param>
/// <param name="BandwidthMbps">Megabits per second, each way; 0 is unlimited.</param>
public sealed record MachineLimits(
    double? Cpus = null, long? MemoryBytes = null, long? DiskBytes = null, int? Processes = null, int? BandwidthMbps = null);

/// <summary>What a machine's first disk is made from.</summary>
public abstract record MachineSource
{
    private MachineSource()
    {
    }

    /// <summary>A prepared read-only image, by name: the computer starts as the image left it.</summary>
    public sealed record Image(string Name) : MachineSource;
}

/// <summary>What an isolation can do beyond the basics.</summary>
/// <param name="PauseKeepsMemory">A paused machine keeps its memory, and so can be suspended for as long as the host runs.</param>
public sealed record MachineCapabilities(string Isolation, bool MemorySnapshots, bool LiveMemoryGrowth, bool PauseKeepsMemory);

/// <param name="ExitCode">Exit code of the machine's first process, or null where it cannot be known (the server did not start it).</param>
/// <param name="OutOfMemory">The kernel killed inside it for want of memory at least once.</param>
public sealed record MachineExit(int? ExitCode, bool OutOfMemory);

/// <summary>A machine's resource use at one moment. Read from the host's side alone, so that no guest can hold it up.</summary>
/// <param name="CpuTime">CPU time used since launch.</param>
/// <param name="MemoryBytes">Memory charged to it, page cache included.</param>
/// <param name="Processes">Processes and threads now.</param>
/// <param name="DiskBytes">Bytes its disk takes on the host (sparse, so less than its size).</param>
public sealed record MachineStats(TimeSpan CpuTime, long MemoryBytes, int Processes, long DiskBytes)
{
    /// <summary>Memory that nothing can reclaim: without page cache.</summary>
    public long MemoryInUseBytes { get; init; }

    /// <summary>How long its processes were held back by the CPU limit, since launch.</summary>
    public TimeSpan ThrottledTime { get; init; }

    /// <summary>Bytes its network card received since launch.</summary>
    public long ReceivedBytes { get; init; }

    public long SentBytes { get; init; }

    /// <summary>Bytes taken on its disk as the guest's df counts them.</summary>
    public long FileSystemUsedBytes { get; init; }

    public long FileSystemBytes { get; init; }
}

/// <summary>A copy that was made of a disk.</summary>
/// <param name="Frozen">How long the machine whose disk it is had to wait before it could write on.</param>
/// <param name="Image">Digest of the base image under the disk: it must be there for as long as the copy is.</param>
/// <param name="SizeBytes">Size of the disk.</param>
/// <param name="UsedBytes">What is in it; blocks shared with the original count, though they take no room of their own.</param>
public sealed record DiskCopy(TimeSpan Frozen, string Image, long SizeBytes, long UsedBytes);
