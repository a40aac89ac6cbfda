using System.Security.Cryptography;
using System.Text;

namespace Carrel.Testbed;

/// <summary>What an installation holds on the host right now, by name: the world's answer to "is anything left behind?".</summary>
public static class Leftovers
{
    public static async Task<IReadOnlyList<string>> OfAsync(Installation installation)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(installation.Data)))[..8];
        var found = new List<string>();
        // The pool, which a server that runs has mounted, is none; what is in it for a computer is.
        var serves = installation.IsRunning;
        var pool = $"/run/carrel/{id}/pool";
        found.AddRange(File.ReadLines("/proc/self/mountinfo")
            .Where(line => line.Contains($"/run/carrel/{id}/", StringComparison.Ordinal) && !(serves && line.Contains($" {pool} ", StringComparison.Ordinal))
                && !(line.Contains($"/run/carrel/{id}/lxcfs ", StringComparison.Ordinal) && Slots(id).Count > 0)));
        found.AddRange((await HostProcess.RunAsync("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE")).Output
            .Split('\n').Where(line => line.Contains(installation.Data, StringComparison.Ordinal) || line.Contains(pool + "/", StringComparison.Ordinal))
            .Where(line => !(serves && line.EndsWith("/pool.img", StringComparison.Ordinal))));
        found.AddRange(Cgroups(id));
        found.AddRange(Below($"/run/carrel/{id}/machines"));
        found.AddRange(Below($"/run/carrel/{id}/runc"));
        found.AddRange(Below($"{installation.Data}/disks"));
        found.AddRange(Below($"{pool}/disks"));
        found.AddRange(Below($"{pool}/snapshots"));
        found.AddRange(Slots(id).Select(slot => $"slot {slot}"));
        found.AddRange((await HostProcess.RunAsync("nft", "list", "tables")).Output.Split('\n')
            .Where(line => line.EndsWith($" carrel_{id}", StringComparison.Ordinal) && Slots(id).Count == 0));
        return found;
    }

    /// <summary>Slot numbers leased by an installation, spare ones of a running server included.</summary>
    public static IReadOnlyList<string> Slots(string id) => !Directory.Exists("/run/carrel/slots") ? [] :
        [.. new DirectoryInfo("/run/carrel/slots").EnumerateFileSystemInfos("*.lease").Where(lease => lease.LinkTarget == id).Select(lease => lease.Name)];

    private static IEnumerable<string> Cgroups(string id) => Directory.Exists("/sys/fs/cgroup/carrel")
        ? Below($"/sys/fs/cgroup/carrel/{id}", foldersOnly: true)
        : Directory.EnumerateDirectories("/sys/fs/cgroup").SelectMany(controller => Below($"{controller}/carrel/{id}", foldersOnly: true));

    private static IEnumerable<string> Below(string folder, bool foldersOnly = false) => !Directory.Exists(folder) ? []
        : foldersOnly ? Directory.EnumerateDirectories(folder) : Directory.EnumerateFileSystemEntries(folder);
}
