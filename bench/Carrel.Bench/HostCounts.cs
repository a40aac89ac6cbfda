using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>How many of each kind of thing that a computer acquires are on the host.</summary>
internal static class HostCounts
{
    internal static async Task<IReadOnlyDictionary<string, int>> NowAsync(Installation installation) => new Dictionary<string, int>
    {
        ["processes"] = Directory.EnumerateDirectories("/proc").Count(folder => char.IsAsciiDigit(folder[6]) && IsOurs(folder, installation)),
        ["mounts"] = File.ReadLines("/proc/self/mountinfo").Count(line => line.Contains("/carrel/", StringComparison.Ordinal)),
        ["loop-devices"] = await LinesAsync("losetup", "--list", "--noheadings"),
        ["network-interfaces"] = Directory.EnumerateFileSystemEntries("/sys/class/net").Count(),
        ["namespaces"] = await LinesAsync("lsns", "--noheadings", "--output", "NS"),
        ["cgroups"] = Directory.EnumerateDirectories("/sys/fs/cgroup", "*", SearchOption.AllDirectories).Count(folder => folder.Contains("/carrel/", StringComparison.Ordinal)),
        ["firewall-rules"] = await LinesAsync("nft", "list", "ruleset"),
        ["files"] = Directory.EnumerateFileSystemEntries($"{installation.Data}/disks").Count() + Directory.EnumerateFileSystemEntries("/run/carrel", "*", SearchOption.AllDirectories).Count(),
    };

    /// <summary>The counts once they are what they were, or after a grace in which things that end in their own time do.</summary>
    internal static async Task<IReadOnlyDictionary<string, int>> SettledAsync(Installation installation, IReadOnlyDictionary<string, int> before)
    {
        using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (true)
        {
            var now = await NowAsync(installation);
            if (grace.IsCancellationRequested || before.All(kind => now[kind.Key] <= kind.Value))
            {
                return now;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
    }

    // A computer's processes, the server's children (zombies, too), and the kernel's threads for a computer's disk; not what
    // else comes and goes on the host.
    private static bool IsOurs(string folder, Installation installation)
    {
        try
        {
            return File.ReadAllText($"{folder}/cgroup").Contains("/carrel/", StringComparison.Ordinal)
                || File.ReadLines($"{folder}/status").Contains($"PPid:\t{installation.ServerPid}")
                || File.ReadAllText($"{folder}/comm") is var name && (name.StartsWith("jbd2/loop", StringComparison.Ordinal) || name.StartsWith("ext4-rsv", StringComparison.Ordinal)
                    || name.StartsWith("xfsaild/loop", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false; // It ended meanwhile.
        }
    }

    private static async Task<int> LinesAsync(string file, params string[] arguments)
        => (await HostProcess.RunAsync(file, arguments)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
}
