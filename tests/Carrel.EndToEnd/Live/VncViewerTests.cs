using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

/// <summary>Debian's VNC viewer, which knows nothing of WebSockets: a bridge carries its TCP connection to the computer's socket.</summary>
public sealed class VncViewerTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    [Fact]
    public async Task A_viewer_shows_the_desktop()
    {
        await shared.Computer.BashAsync("""
            DISPLAY=:99 setsid xfce4-terminal --disable-server --title=viewed --color-bg='#aa2233' --geometry=100x30+100+100 -x sleep 600 > /dev/null 2>&1 &
            for i in $(seq 200); do DISPLAY=:99 xdotool search --onlyvisible --name '^viewed$' && exit 0; sleep 0.05; done; exit 1
            """);
        using var bridge = new TcpListener(IPAddress.Loopback, 0);
        bridge.Start();
        var bridging = BridgeAsync(bridge);
        var (display, vnc) = (4000 + (Environment.ProcessId % 20_000), FreePort());
        using var screen = HostProcess.Start("Xvnc", [$":{display}", "-geometry", "1400x900", "-depth", "24", "-SecurityTypes", "None", "-rfbport", $"{vnc}", "-localhost", "-nolisten", "tcp", "-displayfd", "1"]);
        try
        {
            Assert.Equal($"{display}", await screen.StandardOutput.ReadLineAsync());
            using var viewer = HostProcess.Start(
                "xtigervncviewer",
                ["-Shared", "-FullscreenSystemKeys=0", "-RemoteResize=0", $"127.0.0.1::{((IPEndPoint)bridge.LocalEndpoint).Port}"],
                new Dictionary<string, string> { ["DISPLAY"] = $":{display}", ["VNC_PASSWORD"] = shared.Computer.Created["vnc_password"]!.GetValue<string>(), ["HOME"] = shared.Installation.Data });
            try
            {
                await Computer.UntilAsync(async () => await SeenAsync(vnc) > 100_000, "the viewer shows the terminal's colour", 40);
            }
            finally
            {
                viewer.Kill();
                await viewer.WaitForExitAsync();
            }

            await bridging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        finally
        {
            screen.Kill();
            await screen.WaitForExitAsync();
            File.Delete($"/tmp/.X{display}-lock");
            File.Delete($"/tmp/.X11-unix/X{display}");
        }
    }

    /// <summary>How many pixels of the viewer's own screen have the colour; it may have come as a JPEG.</summary>
    private static async Task<int> SeenAsync(int port)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        await using var screen = await RfbClient.ConnectAsync(tcp.GetStream(), null);
        await screen.RequestAsync(incremental: false);
        await screen.ReadUpdateAsync();
        return Enumerable.Range(0, screen.Width).Sum(x => Enumerable.Range(0, screen.Height).Count(y =>
            screen[x, y] is var (r, g, b) && Math.Abs(r - 0xaa) < 8 && Math.Abs(g - 0x22) < 8 && Math.Abs(b - 0x33) < 8));
    }

    private async Task BridgeAsync(TcpListener listener)
    {
        using var viewer = await listener.AcceptTcpClientAsync();
        using var socket = new ClientWebSocket();
        var (address, token) = (shared.Installation.Address, shared.Computer.Created["vnc_password"]!.GetValue<string>());
        await socket.ConnectAsync(new Uri($"ws://{address.Authority}/desktops/{shared.Computer.InstanceId}/ws/websockify?token={token}"), default);
        await using var remote = WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: false);
        await Task.WhenAny(viewer.GetStream().CopyToAsync(remote), remote.CopyToAsync(viewer.GetStream()));
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
