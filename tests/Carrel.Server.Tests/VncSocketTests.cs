using System.Net.WebSockets;
using Carrel.Server.Tests.Fakes;
using Xunit;
using static Carrel.Server.Tests.Fakes.Sockets;

namespace Carrel.Server.Tests;

public sealed class VncSocketTests
{
    private static readonly CancellationToken Soon = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/desktops/{0}/ws/websockify?token={1}")]
    [InlineData("/desktops/{0}/ws/websockify/?token={1}")]
    [InlineData("/desktops/orgo-{0}/websockify?token={1}")]
    [InlineData("/websockify?token={1}")]
    public async Task Bytes_go_both_ways_and_the_subprotocol_is_agreed(string path)
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        using var socket = await OpenAsync(server, string.Format(null, path, machine.Id, machine.Identity!.VncPassword), protocol: "binary");

        Assert.Equal("binary", socket.SubProtocol);
        Assert.Equal(FakeVnc.Greeting, await ReadAsync(socket, FakeVnc.Greeting.Length));
        var sent = new byte[300_000];
        Random.Shared.NextBytes(sent);
        var writing = socket.SendAsync(sent, WebSocketMessageType.Binary, true, Soon);
        Assert.Equal(sent, await ReadAsync(socket, sent.Length));
        await writing;
        await socket.SendAsync("text"u8.ToArray(), WebSocketMessageType.Text, true, Soon);
        Assert.Equal("text"u8.ToArray(), await ReadAsync(socket, 4));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Soon);
        Assert.Equal(1000, (int)socket.CloseStatus!);
    }

    [Fact]
    public async Task It_opens_with_any_secret_that_may_see_the_computer()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        foreach (var secret in new[] { machine.Identity!.VncPassword, machine.Identity.Token, server.Key })
        {
            using var byQuery = await OpenAsync(server, $"/desktops/{id}/ws/websockify?token={secret}");
            using var byHeader = await OpenAsync(server, $"/desktops/{id}/ws/websockify", secret);
            Assert.Equal(FakeVnc.Greeting, await ReadAsync(byQuery, FakeVnc.Greeting.Length));
            Assert.Equal(FakeVnc.Greeting, await ReadAsync(byHeader, FakeVnc.Greeting.Length));
        }
    }

    [Fact]
    public async Task A_refusal_is_a_close_code_after_the_upgrade()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync("one");
        var (_, other) = await server.ComputerAsync("two");
        var password = machine.Identity!.VncPassword;

        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify", 4401);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token=", 4401);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token=wrong", 4401);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={other.Identity!.VncPassword}", 4401);
        await AssertClosedAsync(server, $"/desktops/{Guid.Empty}/ws/websockify?token={password}", 4401);
        await AssertClosedAsync(server, $"/desktops/{Guid.Empty}/ws/websockify?token={server.Key}", 4404);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}", 4404);
    }

    [Fact]
    public async Task A_vnc_server_that_cannot_be_reached_is_4500()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Unreachable = true;

        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}", 4500);
    }

    [Fact]
    public async Task A_vnc_server_that_ends_is_4500()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Vnc = _ => Task.CompletedTask;

        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}", 4500);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("restart")]
    [InlineData("delete")]
    [InlineData("server")]
    public async Task When_the_computer_or_the_server_ends_the_socket_closes_with_1001(string what)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        using var socket = await OpenAsync(server, $"/desktops/{id}/ws/websockify?token={machine.Identity!.VncPassword}");
        await ReadAsync(socket, FakeVnc.Greeting.Length);

        var ending = what switch
        {
            "server" => server.StopAsync(),
            "delete" => server.DeleteAsync($"/api/computers/{id}"),
            _ => server.PostAsync($"/api/computers/{id}/{what}"),
        };

        Assert.Equal(1001, await CloseCodeAsync(socket));
        await ending;
        if (what == "server")
        {
            Assert.False(machine.Completion.IsCompleted);
        }
    }

    [Fact]
    public async Task A_client_that_does_not_read_slows_the_computer_and_does_not_fill_the_server()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        long written = 0;
        var stalled = new TaskCompletionSource();
        machine.Vnc = async stream =>
        {
            var chunk = new byte[1 << 20];
            while (true)
            {
                var write = stream.WriteAsync(chunk).AsTask();
                if (await Task.WhenAny(write, Task.Delay(TimeSpan.FromMilliseconds(700), TimeProvider.System)) != write)
                {
                    stalled.TrySetResult();
                }

                await write;
                Interlocked.Add(ref written, chunk.Length);
            }
        };
        using var socket = await OpenAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}");

        await stalled.Task.WaitAsync(TimeSpan.FromSeconds(20), Soon);

        Assert.InRange(Interlocked.Read(ref written), 0, 64 << 20);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
    }

    [Fact]
    public async Task Garbage_frames_close_the_socket_and_harm_nobody()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        using var raw = new System.Net.Sockets.TcpClient();
        await raw.ConnectAsync(server.Address.Host, server.Address.Port, Soon);
        var stream = raw.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
            $"GET /desktops/{id}/ws/websockify?token={server.Key} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"), Soon);
        await stream.WriteAsync(Enumerable.Repeat((byte)0xff, 4096).ToArray(), Soon);

        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, Soon) > 0)
            {
                // Until the server has closed it.
            }
        }
        catch (IOException)
        {
            // Closed with a reset, because we had said more than it read.
        }

        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
    }

    [Fact]
    public async Task Another_sites_page_cannot_use_a_browser_session()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var login = (await server.PostAsync("/login", new { key = server.Key }, server.Anonymous)).Expect(200);
        var cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        using var own = await OpenAsync(server, $"/desktops/{id}/ws/websockify", cookie: cookie, origin: server.Address.GetLeftPart(UriPartial.Authority));
        Assert.Equal(FakeVnc.Greeting, await ReadAsync(own, FakeVnc.Greeting.Length));
        using var foreign = await OpenAsync(server, $"/desktops/{id}/ws/websockify", cookie: cookie, origin: "https://evil.example");
        Assert.Equal(4401, await CloseCodeAsync(foreign));
    }

    [Fact]
    public async Task A_plain_request_is_told_that_it_is_a_socket()
    {
        await using var server = await RunningServer.StartAsync();

        (await server.GetAsync("/desktops/abc/ws/websockify")).ExpectError(426, "upgrade_required");
    }
}
