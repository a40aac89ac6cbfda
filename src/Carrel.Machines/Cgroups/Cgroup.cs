using System.Globalization;
using Carrel.Machines.Native;

namespace Carrel.Machines.Cgroups;

/// <summary>
/// A machine's control group, on the unified hierarchy (v2) or on the separate ones (v1 and hybrid). Reads and writes the
/// files directly: a change of limits costs one write, no process.
/// </summary>
internal sealed class Cgroup(string path)
{
    private const string Root = "/sys/fs/cgroup";
    private const long PeriodMicroseconds = 100_000;

    private static readonly string[] V1Controllers =
        ["cpu", "cpuacct", "cpuset", "memory", "pids", "freezer", "devices", "blkio", "systemd", "unified", "net_cls", "net_prio", "perf_event", "hugetlb", "rdma", "misc"];

    internal static bool IsUnified { get; } = File.Exists($"{Root}/cgroup.controllers");

    /// <summary>Path below each hierarchy's root, as runc takes it.</summary>
    internal string Path { get; } = path;

    /// <summary>Makes it under one controller, for a process of ours; a machine's is made by runc.</summary>
    internal void Create(string controller)
    {
        if (IsUnified)
        {
            foreach (var parent in (ReadOnlySpan<string>)["", "carrel/"])
            {
                Directory.CreateDirectory($"{Root}/{parent}");
                File.WriteAllText($"{Root}/{parent}cgroup.subtree_control", $"+{controller}");
            }
        }

        Directory.CreateDirectory(FolderOf(IsUnified ? "" : controller));
    }

    internal void Admit(string controller, int pid) => Write(IsUnified ? "" : controller, "cgroup.procs", $"{pid}");

    internal void SetCpus(double cpus)
    {
        var quota = Math.Max(1_000, (long)(cpus * PeriodMicroseconds)).ToString(CultureInfo.InvariantCulture);
        if (IsUnified)
        {
            Write("", "cpu.max", $"{quota} {PeriodMicroseconds}");
        }
        else
        {
            Write("cpu", "cpu.cfs_quota_us", quota);
        }
    }

    /// <summary>The CPUs of the host.</summary>
    internal static IReadOnlyList<int> HostCpus()
        => CpuList.Parse(File.ReadAllText(IsUnified ? $"{Root}/cpuset.cpus.effective" : $"{Root}/cpuset/cpuset.effective_cpus"));

    /// <summary>The control groups of all machines of all installations on the host.</summary>
    internal static IEnumerable<Cgroup> Machines()
    {
        var carrel = IsUnified ? $"{Root}/carrel" : $"{Root}/cpuset/carrel";
        return !Directory.Exists(carrel) ? [] : Directory.EnumerateDirectories(carrel)
            .SelectMany(Subfolders)
            .Select(folder => new Cgroup($"/carrel/{System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(folder))}/{System.IO.Path.GetFileName(folder)}"));
    }

    internal bool HasCpuSet => File.Exists(FileOf(IsUnified ? "" : "cpuset", "cpuset.cpus"));

    /// <summary>The CPUs its processes may run on; none where it has none of its own.</summary>
    internal IReadOnlyList<int> CpuSet() => CpuList.Parse(Read(IsUnified ? "" : "cpuset", "cpuset.cpus"));

    internal void SetCpuSet(IReadOnlyList<int> cpus) => Write(IsUnified ? "" : "cpuset", "cpuset.cpus", CpuList.Format(cpus));

    /// <summary>The limit in CPUs; null where there is none.</summary>
    internal double? Cpus()
    {
        var words = IsUnified ? Read("", "cpu.max").Split(' ') : [Read("cpu", "cpu.cfs_quota_us"), Read("cpu", "cpu.cfs_period_us")];
        return words[0] is "max" or "-1"
            ? null
            : double.Parse(words[0], CultureInfo.InvariantCulture) / double.Parse(words[1], CultureInfo.InvariantCulture);
    }

    internal long? MemoryLimit() => long.TryParse(
        IsUnified ? Read("", "memory.max") : Read("memory", "memory.limit_in_bytes"), CultureInfo.InvariantCulture, out var bytes) ? bytes : null;

    /// <summary>What stays when all is reclaimed that can be: there is no swap, so that is all but page cache and slabs.</summary>
    internal long MemoryInUse()
    {
        var stat = Read(IsUnified ? "" : "memory", "memory.stat");
        var prefix = IsUnified ? "" : "total_";
        return Math.Max(0, MemoryBytes() - Field(stat, prefix + "active_file") - Field(stat, prefix + "inactive_file") - Field(stat, "slab_reclaimable"));
    }

    /// <summary>
    /// Where more is in use than the new limit, version 1 refuses and version 2 kills; so the caller compares with
    /// <see cref="MemoryInUse"/> first.
    /// </summary>
    internal void SetMemory(long bytes)
    {
        if (IsUnified)
        {
            Write("", "memory.max", $"{bytes}");
            return;
        }

        // Memory and memory+swap must at every moment satisfy memory <= memsw.
        var growing = long.Parse(Read("memory", "memory.limit_in_bytes"), CultureInfo.InvariantCulture) < bytes;
        string[] files = growing ? ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"] : ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"];
        foreach (var file in files.Where(file => File.Exists(FileOf("memory", file))))
        {
            Write("memory", file, $"{bytes}");
        }
    }

    internal void SetProcesses(int count) => Write(IsUnified ? "" : "pids", "pids.max", $"{count}");

    internal void Freeze(bool frozen)
    {
        if (IsUnified)
        {
            Write("", "cgroup.freeze", frozen ? "1" : "0");
        }
        else
        {
            Write("freezer", "freezer.state", frozen ? "FROZEN" : "THAWED");
        }
    }

    /// <summary>Whether all its processes stand still; freezing is done only when this says so.</summary>
    internal bool IsFrozen() => IsUnified ? Field(Read("", "cgroup.events"), "frozen") == 1 : Read("freezer", "freezer.state") == "FROZEN";

    /// <summary>A frozen process cannot be ended (version 1) before it is thawed.</summary>
    internal void ThawIfFrozen()
    {
        if (Exists)
        {
            Freeze(false);
        }
    }

    internal TimeSpan CpuTime() => IsUnified
        ? TimeSpan.FromMicroseconds(Field(Read("", "cpu.stat"), "usage_usec"))
        : TimeSpan.FromMicroseconds(long.Parse(Read("cpuacct", "cpuacct.usage"), CultureInfo.InvariantCulture) / 1000.0);

    /// <summary>How long its processes wanted to run and were held back by the limit.</summary>
    internal TimeSpan ThrottledTime() => IsUnified
        ? TimeSpan.FromMicroseconds(Field(Read("", "cpu.stat"), "throttled_usec"))
        : TimeSpan.FromMicroseconds(Field(Read("cpu", "cpu.stat"), "throttled_time") / 1000.0);

    internal long MemoryBytes()
        => long.Parse(IsUnified ? Read("", "memory.current") : Read("memory", "memory.usage_in_bytes"), CultureInfo.InvariantCulture);

    internal int Processes() => int.Parse(Read(IsUnified ? "" : "pids", "pids.current"), CultureInfo.InvariantCulture);

    internal bool OutOfMemory()
        => Exists && Field(IsUnified ? Read("", "memory.events") : Read("memory", "memory.oom_control"), "oom_kill") > 0;

    internal bool Exists => Directory.Exists(FolderOf(IsUnified ? "" : "pids"));

    /// <summary>Host pids of the processes in it.</summary>
    internal IReadOnlyList<int> Members() => !Exists ? [] :
        [.. File.ReadLines(FileOf(IsUnified ? "" : "pids", "cgroup.procs")).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(pid => pid > 0)];

    /// <summary>
    /// Removes it from every hierarchy. Its processes must have ended; the kernel may take a moment to let go of the last,
    /// which EBUSY says: the caller tries again when the next of them has ended.
    /// </summary>
    internal void Remove()
    {
        foreach (var folder in Folders().Where(Directory.Exists))
        {
            RemoveTree(folder);
        }
    }

    /// <summary>Removes a parent that holds no machine any more; one that holds something stays.</summary>
    internal void RemoveIfEmpty()
    {
        foreach (var folder in Folders().Where(Directory.Exists))
        {
            _ = Libc.RemoveDirectory(folder);
        }
    }

    private static string[] Subfolders(string folder)
    {
        try
        {
            return Directory.GetDirectories(folder);
        }
        catch (DirectoryNotFoundException)
        {
            return []; // Its installation has gone meanwhile.
        }
    }

    private static void RemoveTree(string folder)
    {
        foreach (var child in Directory.EnumerateDirectories(folder))
        {
            RemoveTree(child);
        }

        Errno.Check(Libc.RemoveDirectory(folder), $"remove the cgroup {folder}");
    }

    private IEnumerable<string> Folders() => IsUnified ? [FolderOf("")] : V1Controllers.Select(FolderOf);

    private string FolderOf(string controller) => $"{Root}/{controller}{(controller.Length > 0 ? "/" : "")}{Path.TrimStart('/')}";

    private string FileOf(string controller, string file) => $"{FolderOf(controller)}/{file}";

    private void Write(string controller, string file, string value) => File.WriteAllText(FileOf(controller, file), value);

    private string Read(string controller, string file) => File.ReadAllText(FileOf(controller, file)).Trim();

    private static long Field(string text, string name) => text.Split('\n')
        .Select(line => line.Split(' '))
        .Where(words => words.Length == 2 && words[0] == name)
        .Select(words => long.Parse(words[1], CultureInfo.InvariantCulture))
        .FirstOrDefault();
}
