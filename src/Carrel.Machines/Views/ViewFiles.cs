namespace Carrel.Machines.Views;

/// <summary>
/// The files of /proc and /sys that lxcfs answers for the control group of whoever reads them. Not /proc/uptime: the start
/// times of processes count from the host's boot, so ps would show nonsense.
/// </summary>
internal static class ViewFiles
{
    /// <summary>Paths inside a machine and, alike, below lxcfs' mount.</summary>
    internal static readonly IReadOnlyList<string> All =
    [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps",
        "/sys/devices/system/cpu/online",
    ];
}
