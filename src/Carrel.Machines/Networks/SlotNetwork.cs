using System.Globalization;
using Carrel.Contracts;
using Carrel.Machines.Processes;

namespace Carrel.Machines.Networks;

/// <summary>A slot's veth pair, addresses and rules.</summary>
internal sealed class SlotNetwork(string installation, string dnsServer, IReadOnlyList<string> allowedPrivate)
{
    private readonly string _table = Addressing.InstallationTable(installation);

    /// <summary>What the installation needs once on the host: forwarding and the static rules.</summary>
    internal async Task<Failure?> PrepareHostAsync()
    {
        const string Forward = "/proc/sys/net/ipv4/ip_forward";
        if (File.ReadAllText(Forward).Trim() != "1")
        {
            File.WriteAllText(Forward, "1");
        }

        return await NftAsync(Ruleset.Installation(_table, dnsServer, allowedPrivate)).ConfigureAwait(false);
    }

    /// <summary>Connects the network namespace of a process to the host.</summary>
    /// <param name="slot">The slot's number.</param>
    /// <param name="pid">A process in the namespace; used only while this runs.</param>
    internal async Task<Failure?> ConnectAsync(int slot, int pid)
    {
        var (device, address, mtu) = (Addressing.Interface(slot), Addressing.HostSide(slot), await MtuAsync().ConfigureAwait(false));
        return await ProcessRunner.TryAsync(["ip", "-batch", "-"], $"""
                link add {device} mtu {mtu} address {Addressing.HostMac(slot)} type veth peer name eth0 mtu {mtu} address {Addressing.Mac(slot)} netns {pid}
                addr add {Addressing.Gateway}/32 dev {device}
                link set {device} up
                neigh replace {address} lladdr {Addressing.Mac(slot)} nud permanent dev {device}
                route replace {address}/32 dev {device} src {Addressing.Gateway}
                """ + "\n").ConfigureAwait(false)
            ?? await ProcessRunner.TryAsync(["nsenter", $"--net=/proc/{pid}/ns/net", "sh", "-ec", """
                echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
                echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range
                exec ip -batch -
                """], $"""
                link set lo up
                addr add {Addressing.Inside}/{Addressing.InsidePrefix} dev eth0
                link set eth0 up
                route add default via {Addressing.Gateway}
                neigh replace {Addressing.Gateway} lladdr {Addressing.HostMac(slot)} nud permanent dev eth0
                """ + "\n").ConfigureAwait(false)
            ?? await NftAsync(Ruleset.AddSlot(_table, slot)).ConfigureAwait(false);
    }

    /// <summary>Bytes that a slot's computer received and sent, counted at the host's end, which receives what it sends.</summary>
    internal static (long Received, long Sent) TrafficOf(int slot)
    {
        var statistics = $"/sys/class/net/{Addressing.Interface(slot)}/statistics";
        return (Count("tx_bytes"), Count("rx_bytes"));

        long Count(string name) => long.Parse(File.ReadAllText($"{statistics}/{name}"), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Removes the slot's interface and rules; fine if some or all are gone.</summary>
    internal async Task<Failure?> DisconnectAsync(int slot)
    {
        var device = Addressing.Interface(slot);
        if (Directory.Exists($"/sys/class/net/{device}"))
        {
            // It may vanish by itself in this moment, with the namespace of its peer: only what remains is a failure.
            var result = await ProcessRunner.RunAsync(["ip", "link", "delete", device]).ConfigureAwait(false);
            if (!result.Succeeded && Directory.Exists($"/sys/class/net/{device}"))
            {
                return new Failure(ErrorCodes.Internal, $"Could not delete the interface {device}: {result.Output.Trim()}");
            }
        }

        return await NftAsync(Ruleset.RemoveSlot(_table, slot)).ConfigureAwait(false);
    }

    /// <summary>Removes the installation's rules.</summary>
    internal Task<Failure?> RemoveInstallationAsync() => NftAsync($"add table inet {_table}\ndelete table inet {_table}\n");

    private static Task<Failure?> NftAsync(string rules) => ProcessRunner.TryAsync(["nft", "-f", "-"], rules);

    // A packet that fits the computer's link must fit the host's way out: path MTU discovery often fails behind NAT.
    private static async Task<int> MtuAsync()
    {
        var route = await ProcessRunner.RunAsync(["ip", "-4", "route", "show", "default"]).ConfigureAwait(false);
        var words = route.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var at = Array.IndexOf(words, "dev");
        return at >= 0 && at + 1 < words.Length
            && int.TryParse(await File.ReadAllTextAsync($"/sys/class/net/{words[at + 1]}/mtu").ConfigureAwait(false), out var mtu)
            ? Math.Min(mtu, 1500)
            : 1500;
    }
}
