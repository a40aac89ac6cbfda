using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Boundary;

public sealed class NetworkBoundaryTests(SharedInstallation shared)
{
    private readonly Api _api = shared.Api;

    [Fact]
    public async Task A_guest_reaches_neither_the_host_nor_a_neighbour()
    {
        var (guest, neighbour) = (await _api.NewComputerAsync(), await _api.NewComputerAsync());
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await neighbour.BashAsync($"cd /root && (setsid python3 -m http.server {port} > /dev/null 2>&1 &) ; until curl -s http://127.0.0.1:{port} > /dev/null; do sleep 0.1; done");

        // Every address of the host, on all its interfaces: its network, the gateways, the host's side of each computer.
        var addresses = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(nic => nic.GetIPProperties().UnicastAddresses)
            .Select(entry => entry.Address)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address))
            .Select(address => address.ToString())
            .Distinct()
            .Concat(Enumerable.Range(1, 40).Select(number => $"198.18.0.{number}"))
            .ToList();
        var reached = await guest.BashAsync($$"""
            for a in {{string.Join(' ', addresses)}}; do (timeout 2 bash -c "exec 3<>/dev/tcp/$a/{{port}}" 2>/dev/null && echo "reached $a") & done; wait
            """, timeout: 120);

        Assert.Equal("", reached);
        Assert.False(listener.Pending(), "a connection arrived on the host");
        var api = shared.Installation.Address.Port;
        Assert.NotEqual("", await guest.BashAsync($"curl -s --max-time 2 http://10.77.0.1:{api}/healthz || echo refused"));
        Assert.Equal("refused\n", await guest.BashAsync($"curl -s --max-time 2 http://10.77.0.1:{api}/healthz || echo refused"));
    }

    [Fact]
    public async Task A_guest_reaches_public_addresses_but_no_private_ones()
    {
        var guest = await _api.NewComputerAsync();
        await using var outside = await OutsideHost.CreateAsync();

        // The same web server, once under an address of a documentation range, once under a private and a link-local one.
        Assert.Equal("outside\n", await guest.BashAsync($"curl -s --max-time 5 http://{outside.PublicAddress}:8000/name"));
        foreach (var address in outside.PrivateAddresses)
        {
            Assert.Equal("refused\n", await guest.BashAsync($"curl -s --max-time 2 http://{address}:8000/name || echo refused"));
        }
    }

    [Fact]
    public async Task A_guest_cannot_change_its_network_or_speak_for_others()
    {
        var guest = await _api.NewComputerAsync();

        Assert.Equal("kept\n", await guest.BashAsync("ip addr add 10.77.0.99/24 dev eth0 2>/dev/null || echo kept"));
        Assert.Equal("kept\n", await guest.BashAsync("unshare -n true 2>/dev/null || echo kept"));
        // The same packet from its own address, which arrives beyond the host, and from a foreign one, which must not.
        await using var outside = await OutsideHost.CreateAsync();
        await outside.CountAsync("udp dport 4998", "udp dport 4999");
        await guest.BashAsync($$"""
            python3 - <<'EOF'
            import socket, struct
            s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            for source, port in (("192.0.2.77", 4999), ("10.77.0.2", 4998)):
                packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton("{{outside.PublicAddress}}")) + struct.pack("!HHHH", 9, port, 8, 0)
                for _ in range(20): s.sendto(packet, ("{{outside.PublicAddress}}", 0))
            EOF
            """);
        await Computer.UntilAsync(async () => (await outside.CountedAsync())[0] == 20, "its own packets arrive");
        Assert.Equal(0, (await outside.CountedAsync())[1]);
    }

    [Fact]
    public async Task Names_resolve_inside()
    {
        var guest = await _api.NewComputerAsync();

        Assert.Contains("localhost", await guest.BashAsync("getent hosts localhost"), StringComparison.Ordinal);
        // Whatever mirror this installation's images were made from.
        Assert.NotEqual("", await guest.BashAsync("getent ahostsv4 $(grep -ohE 'https?://[^/ ]+' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 | sed 's#.*//##')"));
    }
}
