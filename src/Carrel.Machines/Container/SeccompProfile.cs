using System.Text.Json;
using System.Text.Json.Nodes;

namespace Carrel.Machines.Container;

/// <summary>
/// Turns the well-kept profile of Debian's containers-common (Docker's format: conditions on capabilities and
/// architectures) into an OCI seccomp section, and takes away what a desktop has no use for: that profile lets rootless
/// engines nest, so it allows mounting and new namespaces, the widest doors into a kernel.
/// </summary>
internal static class SeccompProfile
{
    internal const string HostFile = "/usr/share/containers/seccomp.json";

    /// <summary>Refused with EPERM: mounts, namespaces, kernel keyrings (not fenced by namespaces), the host's power.</summary>
    private static readonly string[] Refused =
    [
        "mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
        "pivot_root", "unshare", "setns", "add_key", "keyctl", "request_key", "reboot", "bpf", "perf_event_open", "userfaultfd",
        "io_uring_setup", "io_uring_enter", "io_uring_register", "name_to_handle_at", "open_by_handle_at", "quotactl", "syslog",
    ];

    /// <summary>CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET.</summary>
    private const long NamespaceFlags = 0x7E02_0000;

    private const int NotPermitted = 1;
    private const int NoSystemCall = 38;

    internal static JsonObject Convert(JsonObject profile, IReadOnlySet<string> capabilities)
    {
        var calls = new JsonArray();
        foreach (var rule in profile["syscalls"]!.AsArray())
        {
            if (Applies(rule!, capabilities) && Kept(rule!) is { Count: > 0 } names)
            {
                calls.Add(Rule(names, rule!["action"]!.GetValue<string>(), (int?)rule["errnoRet"], Arguments(rule["args"])));
            }
        }

        calls.Add(Rule([.. Refused], "SCMP_ACT_ERRNO", NotPermitted, null));
        calls.Add(Rule(["clone"], "SCMP_ACT_ALLOW", null,
            [new JsonObject { ["index"] = 0, ["value"] = NamespaceFlags, ["valueTwo"] = 0, ["op"] = "SCMP_CMP_MASKED_EQ" }]));
        // clone3's flags stand behind a pointer that seccomp cannot follow: "no such call" makes libc fall back to clone.
        calls.Add(Rule(["clone3"], "SCMP_ACT_ERRNO", NoSystemCall, null));
        return new JsonObject
        {
            ["defaultAction"] = "SCMP_ACT_ERRNO",
            ["defaultErrnoRet"] = NoSystemCall,
            ["architectures"] = new JsonArray("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
            ["syscalls"] = calls,
        };
    }

    internal static JsonObject Load(string file, IReadOnlySet<string> capabilities)
        => Convert(JsonNode.Parse(File.ReadAllText(file))?.AsObject() ?? throw new JsonException($"{file} is empty"), capabilities);

    private static List<string> Kept(JsonNode rule)
        => [.. rule["names"]!.AsArray().Select(name => name!.GetValue<string>()).Where(name => name is not ("clone" or "clone3") && !Refused.Contains(name))];

    private static bool Applies(JsonNode rule, IReadOnlySet<string> capabilities)
    {
        bool Any(string section, string kind, Func<string, bool> has)
            => rule[section]?[kind] is JsonArray { Count: > 0 } items && items.Any(item => has(item!.GetValue<string>()));
        bool Named(string section, string kind) => rule[section]?[kind] is JsonArray { Count: > 0 };

        return (!Named("includes", "caps") || Any("includes", "caps", capabilities.Contains))
            && (!Named("includes", "arches") || Any("includes", "arches", IsOurs))
            && !Any("excludes", "caps", capabilities.Contains)
            && !Any("excludes", "arches", IsOurs);

        static bool IsOurs(string arch) => arch is "amd64" or "x86";
    }

    private static JsonArray? Arguments(JsonNode? args) => args is JsonArray { Count: > 0 } list ? list.DeepClone().AsArray() : null;

    private static JsonObject Rule(IReadOnlyList<string> names, string action, int? errno, JsonArray? args)
    {
        var rule = new JsonObject
        {
            ["names"] = new JsonArray([.. names.Select(name => (JsonNode)name)]),
            ["action"] = action,
        };
        if (errno is { } value && action == "SCMP_ACT_ERRNO")
        {
            rule["errnoRet"] = value;
        }

        if (args is not null)
        {
            rule["args"] = args;
        }

        return rule;
    }
}
