using System.Globalization;

namespace Carrel.Bench;

internal static class CpuTime
{
    private const double TicksPerSecond = 100; // What the kernel counts in for every process, whatever its own clock.

    /// <summary>Seconds of processor time so far: all living processes of a machine, and one more process.</summary>
    internal static double OfMachineAnd(string instanceId, int pid) => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsAsciiDigit(folder[6]) && (folder == $"/proc/{pid}" || ReadIfThere($"{folder}/cgroup")?.Contains($"/{instanceId}", StringComparison.Ordinal) == true))
        .Sum(Seconds);

    private static double Seconds(string folder)
    {
        if (ReadIfThere($"{folder}/stat") is not { } stat)
        {
            return 0;
        }

        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    private static string? ReadIfThere(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return null; // The process ended meanwhile.
        }
    }
}
