using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Ports;

public sealed class TunnelTests : IClassFixture<Desk>, IDisposable
{
    private readonly Desk _desk;
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);

    public TunnelTests(Desk desk)
    {
        _desk = desk;
        _server.Start();
    }

    private int Port => ((IPEndPoint)_server.LocalEndpoint).Port;

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Each_direction_ends_for_itself()
    {
        var (tunnel, inside) = await OpenAsync();
        using (tunnel)
        using (inside)
        {
            var question = Random.Shared.GetItems(Enumerable.Range(0, 256).Select(b => (byte)b).ToArray(), 300_000);
            var asking = Task.Run(async () =>
            {
                foreach (var piece in question.Chunk(65_535))
                {
                    await tunnel.WriteAsync(piece);
                }

                await tunnel.EndAsync();
            });
            await using var stream = new NetworkStream(inside);
            using var heard = new MemoryStream();
            // Ends only because the host's direction did; the other one is still open for the answer.
            await stream.CopyToAsync(heard);
            await asking;
            Assert.Equal(question, heard.ToArray());

            await stream.WriteAsync(heard.ToArray());
            inside.Shutdown(SocketShutdown.Send);
            Assert.Equal(question, (await tunnel.ReadToEndAsync())!);
        }
    }

    [Fact]
    public async Task The_inside_may_end_first_and_go_on_listening()
    {
        var (tunnel, inside) = await OpenAsync();
        using (tunnel)
        using (inside)
        {
            inside.Shutdown(SocketShutdown.Send);
            Assert.Empty((await tunnel.ReadAsync())!);
            await tunnel.WriteAsync("later"u8.ToArray());
            var heard = new byte[5];
            Assert.Equal(5, await inside.ReceiveAsync(heard, SocketFlags.None));
            Assert.Equal("later"u8, heard);
        }
    }

    [Fact]
    public async Task Cut_off_inside_is_not_an_end()
    {
        var (tunnel, inside) = await OpenAsync();
        using (tunnel)
        {
            inside.Send("half an ans"u8);
            Assert.NotNull(await tunnel.ReadAsync());
            inside.LingerState = new LingerOption(true, 0);
            inside.Dispose();
            Assert.Null(await tunnel.ReadAsync());
        }
    }

    [Fact]
    public async Task A_host_that_goes_away_ends_the_inside()
    {
        var (tunnel, inside) = await OpenAsync();
        using (inside)
        {
            tunnel.Dispose();
            Assert.Equal(0, await inside.ReceiveAsync(new byte[1], SocketFlags.None));
        }
    }

    [Fact]
    public async Task Whoever_does_not_read_stops_the_other_from_sending()
    {
        var (tunnel, inside) = await OpenAsync();
        using (tunnel)
        using (inside)
        {
            var record = new byte[32_000];
            await AssertStallsAsync(async () => await tunnel.WriteAsync(record));
            await AssertStallsAsync(() => inside.SendAsync(record, SocketFlags.None));
        }
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_named()
    {
        var port = Port;
        _server.Stop();
        var (tunnel, head) = await HostTunnel.OpenAsync(_desk, $"/ports/{port}/stream");
        using (tunnel)
        {
            Assert.StartsWith("HTTP/1.1 409 ", head, StringComparison.Ordinal);
            var body = new byte[int.Parse(head.Split("Content-Length: ")[1].Split('\r')[0], null)];
            await tunnel.Raw.ReadExactlyAsync(body);
            Assert.Equal(
                $$"""{"error":"nothing listens on port {{port}} inside the computer","code":"port_closed"}""", System.Text.Encoding.UTF8.GetString(body));
        }
    }

    [Theory]
    [InlineData("/ports/0/stream", "400")]
    [InlineData("/ports/65536/stream", "400")]
    [InlineData("/ports/1e3/stream", "400")]
    public async Task What_is_no_port_is_refused(string path, string status)
    {
        var (tunnel, head) = await HostTunnel.OpenAsync(_desk, path);
        using (tunnel)
        {
            Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_an_upgrade_it_says_what_it_is()
    {
        using var answer = await _desk.Host.GetAsync($"/ports/{Port}/stream");
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
    }

    [Fact]
    public async Task Only_the_host_has_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/ports/{Port}/stream");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Desk.Token);
        using var answer = await _desk.Tcp.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private async Task<(HostTunnel Tunnel, Socket Inside)> OpenAsync()
    {
        var accepting = _server.AcceptSocketAsync();
        var (tunnel, head) = await HostTunnel.OpenAsync(_desk, $"/ports/{Port}/stream");
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        return (tunnel, await accepting);
    }

    /// <summary>Sends what no buffers on the way could hold; a piece that is still not taken after a while is one that waits.</summary>
    private static async Task AssertStallsAsync(Func<Task> send)
    {
        for (var sent = 0; sent < 64 * 1024 * 1024; sent += 32_000)
        {
            var sending = send();
            if (await Task.WhenAny(sending, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System)) != sending)
            {
                return;
            }
        }

        Assert.Fail("64 MB were taken though nobody reads");
    }
}
