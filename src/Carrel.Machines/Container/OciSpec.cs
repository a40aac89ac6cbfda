using System.Text.Json.Nodes;
using Carrel.Machines.Networks;
using Carrel.Machines.Slots;
using Carrel.Machines.Views;

namespace Carrel.Machines.Container;

/// <summary>Writes the OCI runtime configuration of a machine.</summary>
/// <param name="lxcfs">Where lxcfs is mounted; null where there is none.</param>
internal sealed class OciSpec(string deskdFolder, string? lxcfs, string seccompFile)
{
    /// <summary>Docker's default set less AUDIT_WRITE, plus SYS_PTRACE (debuggers); all of it inside the machine's user namespace only.</summary>
    private static readonly string[] Capabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
        "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
    ];

    private static readonly string[] MaskedPaths =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap", "/sys/fs/cgroup", "/proc/sysrq-trigger",
    ];

    private static readonly string[] ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"];

    // The same for every machine and a few hundred names long: converted once.
    private readonly JsonObject _seccomp = SeccompProfile.Load(seccompFile, Capabilities.ToHashSet());

    internal JsonObject Write(MachineSpec spec, Slot slot, MachineFolder folder, string cgroup) => new()
    {
        ["ociVersion"] = "1.0.2",
        ["hostname"] = spec.HostName,
        ["root"] = new JsonObject { ["path"] = folder.RootFs },
        ["process"] = Process(spec),
        ["mounts"] = Mounts(),
        ["linux"] = new JsonObject
        {
            ["uidMappings"] = Mapping(slot),
            ["gidMappings"] = Mapping(slot),
            ["cgroupsPath"] = cgroup,
            ["resources"] = Resources(spec.Limits),
            ["namespaces"] = new JsonArray(
                Namespace("pid"), Namespace("ipc"), Namespace("uts"), Namespace("mount"), Namespace("cgroup"),
                Namespace("user", slot.UserNamespace), Namespace("network", slot.NetworkNamespace)),
            ["maskedPaths"] = Strings(MaskedPaths),
            ["readonlyPaths"] = Strings(ReadonlyPaths),
            ["seccomp"] = _seccomp.DeepClone(),
        },
    };

    private static JsonObject Process(MachineSpec spec) => new()
    {
        ["terminal"] = false,
        ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
        ["args"] = new JsonArray("/sbin/carrel-init"),
        ["cwd"] = "/",
        ["env"] = new JsonArray(
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LANG=C.UTF-8",
            $"CARREL_NAMESERVER={Addressing.Gateway}",
            $"CARREL_RESOLUTION={spec.Width}x{spec.Height}x{spec.Depth}"),
        ["capabilities"] = new JsonObject
        {
            ["bounding"] = Strings(Capabilities),
            ["effective"] = Strings(Capabilities),
            ["permitted"] = Strings(Capabilities),
        },
        // sudo inside needs set-uid programs; what they gain ends at the user namespace.
        ["noNewPrivileges"] = false,
    };

    private JsonArray Mounts() => new([
        Mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        Mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=1m"),
        Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        // Charged to the machine's memory limit, so the size only has to be large enough for browsers.
        Mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=1g"),
        Mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        Mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        Mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=755", "size=256m"),
        Mount("/opt/carrel/deskd", "bind", deskdFolder, "bind", "ro", "nosuid", "nodev"),
        .. Views()]);

    private IEnumerable<JsonNode> Views() => lxcfs is null ? [] : ViewFiles.All.Select(file => Mount(file, "bind", lxcfs + file, "bind", "nosuid", "nodev"));

    // No CPU quota: it comes when the desktop is up (boot burst).
    private static JsonObject Resources(MachineLimits limits) => new()
    {
        ["devices"] = new JsonArray(new JsonObject { ["allow"] = false, ["access"] = "rwm" }),
        ["memory"] = new JsonObject { ["limit"] = limits.MemoryBytes, ["swap"] = limits.MemoryBytes },
        ["pids"] = new JsonObject { ["limit"] = limits.Processes },
    };

    private static JsonArray Mapping(Slot slot)
        => [new JsonObject { ["containerID"] = 0, ["hostID"] = slot.RootUid, ["size"] = Slot.RangeSize }];

    private static JsonObject Namespace(string type, string? path = null)
    {
        var result = new JsonObject { ["type"] = type };
        if (path is not null)
        {
            result["path"] = path;
        }

        return result;
    }

    private static JsonObject Mount(string destination, string type, string source, params string[] options)
        => new() { ["destination"] = destination, ["type"] = type, ["source"] = source, ["options"] = Strings(options) };

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode)value)]);
}
