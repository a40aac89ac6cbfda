using System.Text.Json.Nodes;
using Carrel.Machines.Container;
using Xunit;

namespace Carrel.Machines.Tests.Container;

public sealed class SeccompProfileTests
{
    private static readonly HashSet<string> s_none = [];

    [Fact]
    public void Mounts_and_namespaces_are_taken_from_what_the_host_profile_allows()
    {
        var profile = SeccompProfile.Load(SeccompProfile.HostFile, s_none);

        var allowed = Names(profile, "SCMP_ACT_ALLOW");
        Assert.Contains("read", allowed);
        Assert.Contains("ptrace", Names(SeccompProfile.Load(SeccompProfile.HostFile, new HashSet<string> { "CAP_SYS_PTRACE" }), "SCMP_ACT_ALLOW"));
        foreach (var refused in (string[])["mount", "unshare", "setns", "keyctl", "bpf", "open_by_handle_at", "io_uring_setup", "clone3", "reboot"])
        {
            Assert.DoesNotContain(refused, allowed);
        }
    }

    [Fact]
    public void Clone_is_allowed_only_without_new_namespaces()
    {
        var clone = SeccompProfile.Load(SeccompProfile.HostFile, s_none)["syscalls"]!.AsArray()
            .Single(rule => rule!["names"]!.AsArray().Any(name => name!.GetValue<string>() == "clone"))!;

        Assert.Equal("SCMP_CMP_MASKED_EQ", clone["args"]![0]!["op"]!.GetValue<string>());
        Assert.Equal(0x7E02_0000, clone["args"]![0]!["value"]!.GetValue<long>());
    }

    [Fact]
    public void Rules_for_other_architectures_and_missing_capabilities_do_not_apply()
    {
        var profile = JsonNode.Parse("""
            { "syscalls": [
              { "names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["arm64"] }, "excludes": {} },
              { "names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_ADMIN"] }, "excludes": {} },
              { "names": ["c"], "action": "SCMP_ACT_ALLOW", "includes": {}, "excludes": { "caps": ["CAP_KILL"] } },
              { "names": ["d"], "action": "SCMP_ACT_ALLOW", "includes": {}, "excludes": {} } ] }
            """)!.AsObject();

        var allowed = Names(SeccompProfile.Convert(profile, new HashSet<string> { "CAP_KILL" }), "SCMP_ACT_ALLOW");

        Assert.Equal(["clone", "d"], allowed.Order());
    }

    private static HashSet<string> Names(JsonObject profile, string action) => [.. profile["syscalls"]!.AsArray()
        .Where(rule => rule!["action"]!.GetValue<string>() == action)
        .SelectMany(rule => rule!["names"]!.AsArray().Select(name => name!.GetValue<string>()))];
}
