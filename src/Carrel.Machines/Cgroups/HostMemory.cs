using System.Globalization;

namespace Carrel.Machines.Cgroups;

/// <summary>What the host has in all.</summary>
internal static class HostMemory
{
    internal static long TotalBytes() => 1024 * long.Parse(
        File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
