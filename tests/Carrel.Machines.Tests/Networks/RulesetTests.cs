using Carrel.Machines.Networks;
using Carrel.Testbed;
using Xunit;

namespace Carrel.Machines.Tests.Networks;

/// <summary>The kernel itself reads the rules, in a network namespace of the test's own.</summary>
public sealed class RulesetTests
{
    [Fact]
    public async Task The_kernel_takes_the_rules_twice_and_their_removal_leaves_none()
    {
        var rules = Ruleset.Installation("carrel_test", "9.9.9.9", ["10.1.0.0/16"]);
        var listed = await ApplyAsync($"""
            ip link add {Addressing.Interface(7)} type veth peer name other
            {Nft(rules)}
            {Nft(rules)}
            {Nft(Ruleset.AddSlot("carrel_test", 7))}
            nft list ruleset
            """);
        Assert.Contains("ip daddr @private reject", listed, StringComparison.Ordinal);
        Assert.Contains("ip saddr set 198.18.0.8", listed, StringComparison.Ordinal);
        Assert.Contains("\"cr7\" : goto slot_7", listed, StringComparison.Ordinal);

        var left = await ApplyAsync($"""
            ip link add {Addressing.Interface(7)} type veth peer name other
            {Nft(rules)}
            {Nft(Ruleset.AddSlot("carrel_test", 7))}
            {Nft(Ruleset.RemoveSlot("carrel_test", 7))}
            {Nft(Ruleset.RemoveSlot("carrel_test", 7))}
            nft list ruleset
            """);
        Assert.DoesNotContain("cr7", left, StringComparison.Ordinal);
        Assert.DoesNotContain("slot_7", left, StringComparison.Ordinal);
    }

    private static string Nft(string rules) => $"nft -f - <<'RULES'\n{rules}RULES";

    private static async Task<string> ApplyAsync(string script)
    {
        var (code, output) = await HostProcess.RunAsync("unshare", "--net", "bash", "-ec", script);
        Assert.True(code == 0, output);
        return output;
    }
}
