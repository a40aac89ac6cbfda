using System.Globalization;

namespace Carrel.Bench;

internal static class ProportionalSetSize
{
    /// <summary>Bytes: each page counted in parts among those who share it, over all processes of a machine.</summary>
    internal static long OfMachine(string instanceId) => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsAsciiDigit(folder[6]) && IsMember(folder, instanceId))
        .Sum(Pss);

    internal static bool IsMember(string folder, string instanceId)
        => ReadIfThere($"{folder}/cgroup") is { } groups && groups.Contains($"/{instanceId}", StringComparison.Ordinal);

    private static long Pss(string folder) => ReadIfThere($"{folder}/smaps_rollup") is { } text
        ? long.Parse(
            text.Split('\n').First(line => line.StartsWith("Pss:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) * 1024
        : 0;

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
