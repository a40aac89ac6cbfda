using System.Text.Json.Nodes;

namespace Carrel.Bench;

internal static class Machine
{
    /// <summary>What the figures were measured on.</summary>
    internal static JsonObject Describe() => new()
    {
        ["cpu"] = Field("/proc/cpuinfo", "model name"),
        ["cpus"] = Environment.ProcessorCount,
        ["memory"] = Field("/proc/meminfo", "MemTotal"),
        ["kernel"] = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        ["distribution"] = Field("/etc/os-release", "PRETTY_NAME", '=').Trim('"'),
        ["runtime"] = System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
        ["load_before"] = File.ReadAllText("/proc/loadavg").Trim(),
    };

    private static string Field(string file, string name, char separator = ':') => File.ReadLines(file)
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(separator, StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault() ?? "unknown";
}
