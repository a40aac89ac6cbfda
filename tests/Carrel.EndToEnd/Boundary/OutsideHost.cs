using System.Diagnostics;
using System.Globalization;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;

namespace Carrel.EndToEnd.Boundary;

/// <summary>
/// A host of the test's own beyond this one, in a network namespace, with a web server under several addresses.
/// </summary>
internal sealed class OutsideHost : IAsyncDisposable
{
    private static int s_next;

    private readonly string _name;
    private readonly Process _server;

    private OutsideHost(string name, Process server, string publicAddress, IReadOnlyList<string> privateAddresses)
        => (_name, _server, PublicAddress, PrivateAddresses) = (name, server, publicAddress, privateAddresses);

    /// <summary>Name of its network namespace.</summary>
    internal string Name => _name;

    internal string PublicAddress { get; }

    internal IReadOnlyList<string> PrivateAddresses { get; }

    internal static async Task<OutsideHost> CreateAsync()
    {
        var number = (Environment.ProcessId * 4 + Interlocked.Increment(ref s_next)) % 60;
        var (name, net) = ($"crtest{number}", number * 4);
        var (here, there) = ($"198.51.100.{net + 1}", $"198.51.100.{net + 2}");
        string[] hidden = [$"172.31.{number}.1", $"10.199.{number}.1", $"169.254.77.{number + 1}"];
        await RunAsync(string.Create(CultureInfo.InvariantCulture, $"""
            ip netns add {name}
            ip link add {name} type veth peer name eth0 netns {name}
            ip addr add {here}/30 dev {name}; ip link set {name} up
            ip -n {name} link set lo up; ip -n {name} addr add {there}/30 dev eth0; ip -n {name} link set eth0 up
            ip -n {name} route add default via {here}
            for a in {string.Join(' ', hidden)}; do ip -n {name} addr add $a/32 dev lo; ip route add $a/32 via {there} dev {name}; done
            mkdir -p /var/tmp/carrel-test/{name}; echo outside > /var/tmp/carrel-test/{name}/name
            """));
        var server = HostProcess.Start("ip", ["netns", "exec", name, "python3", "-u", "-m", "http.server", "8000", "--directory", $"/var/tmp/carrel-test/{name}"]);
        // It says so when it listens.
        await server.StandardOutput.ReadLineAsync();
        return new OutsideHost(name, server, there, hidden);
    }

    /// <summary>Counts the packets that arrive, one counter for each match.</summary>
    internal Task CountAsync(params string[] matches) => RunAsync(
        $"ip netns exec {_name} nft -f - <<'RULES'\ntable ip count {{\n chain in {{\n type filter hook input priority 0; policy accept;\n"
        + string.Concat(matches.Select(match => $" {match} counter\n")) + " }\n}\nRULES");

    internal async Task<IReadOnlyList<int>> CountedAsync() =>
        [.. System.Text.RegularExpressions.Regex.Matches((await HostProcess.RunAsync("ip", "netns", "exec", _name, "nft", "list", "table", "ip", "count")).Output, "packets ([0-9]+)")
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    public async ValueTask DisposeAsync()
    {
        _server.Kill();
        await _server.WaitForExitAsync();
        _server.Dispose();
        await RunAsync($"ip link del {_name}; ip netns del {_name}; rm -r /var/tmp/carrel-test/{_name}");
    }

    private static async Task RunAsync(string script)
    {
        var (code, output) = await HostProcess.RunAsync("bash", "-ec", script);
        if (code != 0)
        {
            throw new InvalidOperationException($"the outside host could not be made: {output}");
        }
    }
}
