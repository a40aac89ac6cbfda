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
public sealed record MachineLimits(double? Cpus = null, long? MemoryBytes = null, long? DiskBytes = null, int? Processes = null);

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
public sealed record MachineCapabilities(string Isolation, bool MemorySnapshots, bool LiveMemoryGrowth);

/// <param name="ExitCode">Exit code of the machine's first process, or null where it cannot be known (the server did not start it).</param>
/// <param name="OutOfMemory">The kernel killed inside it for want of memory at least once.</param>
public sealed record MachineExit(int? ExitCode, bool OutOfMemory);

/// <summary>A machine's resource use at one moment.</summary>
/// <param name="CpuTime">CPU time used since launch.</param>
/// <param name="MemoryBytes">Memory charged to it, page cache included.</param>
/// <param name="Processes">Processes and threads now.</param>
/// <param name="DiskBytes">Bytes its disk takes on the host (sparse, so less than its size).</param>
/// <param name="NetworkReceivedBytes">Bytes that came to it over its network since launch.</param>
/// <param name="NetworkSentBytes">Bytes that it sent over its network since launch.</param>
public sealed record MachineStats(
    TimeSpan CpuTime, long MemoryBytes, int Processes, long DiskBytes, long NetworkReceivedBytes = 0, long NetworkSentBytes = 0);
