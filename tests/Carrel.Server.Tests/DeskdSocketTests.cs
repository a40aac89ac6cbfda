using System.Net.WebSockets;
using System.Text;
using Carrel.Server.Tests.Fakes;
using Xunit;
using static Carrel.Server.Tests.Fakes.Sockets;

namespace Carrel.Server.Tests;

/// <summary>Terminal, audio and events: served inside, brought out.</summary>
public sealed class DeskdSocketTests
{
    private static readonly CancellationToken Soon = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/desktops/{0}/ws/terminal?cols=100&rows=30&token={1}", "/terminal", "?cols=100&rows=30")]
    [InlineData("/desktops/orgo-{0}/ws/audio?token={1}&channels=2", "/audio", "?channels=2")]
    [InlineData("/desktops/{0}/ws/events/?token={1}", "/events", "")]
    [InlineData("/api/desktops/{0}/proxy/terminal?token={1}", "/terminal", "")]
    [InlineData("/terminal?token={1}&session=a%26b", "/terminal", "?session=a%26b")]
    [InlineData("/audio?token={1}", "/audio", "")]
    [InlineData("/events?token={1}", "/events", "")]
    public async Task Messages_go_both_ways_and_the_desktop_never_sees_the_token(string path, string inside, string query)
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        using var socket = await OpenAsync(server, string.Format(null, path, machine.Id, machine.Identity!.VncPassword));

        await socket.SendAsync("""{"type":"ping"}"""u8.ToArray(), WebSocketMessageType.Text, true, Soon);
        Assert.Equal("""{"type":"ping"}""", Encoding.UTF8.GetString(await ReadAsync(socket, 15)));
        var sound = new byte[100_000];
        Random.Shared.NextBytes(sound);
        await socket.SendAsync(sound, WebSocketMessageType.Binary, true, Soon);
        Assert.Equal(sound, await ReadAsync(socket, sound.Length));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Soon);

        Assert.Equal(1000, (int)socket.CloseStatus!);
        var seen = Assert.Single(machine.Requests, request => request.Path == inside);
        Assert.Equal(query, seen.Query);
    }

    [Theory]
    [InlineData("terminal")]
    [InlineData("audio")]
    [InlineData("events")]
    public async Task A_refusal_is_a_close_code_after_the_upgrade(string name)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync("one");
        var (_, other) = await server.ComputerAsync("two");
        var path = $"/desktops/{id}/ws/{name}";

        await AssertClosedAsync(server, path, 4401);
        await AssertClosedAsync(server, $"{path}?token=wrong", 4401);
        await AssertClosedAsync(server, $"{path}?token={other.Identity!.VncPassword}", 4401);
        await AssertClosedAsync(server, $"/{name}?token=wrong", 4401);
        await AssertClosedAsync(server, $"/desktops/{Guid.Empty}/ws/{name}?token={server.Key}", 4404);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        await AssertClosedAsync(server, $"{path}?token={server.Key}", 4404);
        Assert.DoesNotContain(machine.Requests, request => request.Path == "/" + name);
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
        using var socket = await OpenAsync(server, $"/desktops/{id}/ws/events?token={machine.Identity!.VncPassword}");
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, Soon);
        await ReadAsync(socket, 1);

        var ending = what switch
        {
            "server" => server.StopAsync(),
            "delete" => server.DeleteAsync($"/api/computers/{id}"),
            _ => server.PostAsync($"/api/computers/{id}/{what}"),
        };

        Assert.Equal(1001, await CloseCodeAsync(socket));
        await ending;
    }

    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(1008, 1008)]
    [InlineData(4500, 4500)]
    [InlineData(4401, 4500)]
    [InlineData(1001, 4500)]
    [InlineData(3999, 4500)]
    public async Task What_the_desktop_closes_with_is_told_where_it_may_say_so(int inside, int outside)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Socket = (socket, _) => socket.CloseAsync((WebSocketCloseStatus)inside, "because", CancellationToken.None);

        await AssertClosedAsync(server, $"/desktops/{id}/ws/terminal?token={server.Key}", outside);
    }

    [Fact]
    public async Task A_desktop_that_breaks_off_refuses_or_cannot_be_reached_is_4500()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var path = $"/desktops/{id}/ws/terminal?token={server.Key}";

        machine.Socket = (socket, _) =>
        {
            socket.Abort();
            return Task.CompletedTask;
        };
        await AssertClosedAsync(server, path, 4500);

        machine.Answer = async (context, seen) =>
        {
            await FakeDeskd.JsonAsync(context, """{"error":"no"}""", 404);
            return true;
        };
        await AssertClosedAsync(server, path, 4500);

        machine.Unreachable = true;
        await AssertClosedAsync(server, path, 4500);
    }

    [Fact]
    public async Task A_message_too_long_is_1009()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var received = 0L;
        machine.Socket = async (socket, _) =>
        {
            var buffer = new byte[64 * 1024];
            while (socket.State == WebSocketState.Open)
            {
                received += (await socket.ReceiveAsync(buffer, CancellationToken.None)).Count;
            }
        };
        using var socket = await OpenAsync(server, $"/desktops/{id}/ws/terminal?token={server.Key}");

        await socket.SendAsync(new byte[1024 * 1024 + 1], WebSocketMessageType.Text, true, Soon);

        Assert.Equal(1009, await CloseCodeAsync(socket));
        Assert.InRange(received, 0, 1024 * 1024);
    }

    [Fact]
    public async Task One_socket_more_than_a_computer_may_have_is_1013_until_one_goes()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { MaxSockets = 2 });
        var (id, _) = await server.ComputerAsync();
        var path = $"/desktops/{id}/ws/events?token={server.Key}";
        using var one = await OpenAsync(server, path);
        using (await OpenAsync(server, path))
        {
            await AssertClosedAsync(server, path, 1013);
        }

        // The one that broke off gives its place back as soon as the server has seen it.
        await UntilAcceptedAsync(server, path);
    }

    [Fact]
    public async Task A_client_that_does_not_read_slows_the_desktop_and_does_not_fill_the_server()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        long written = 0;
        var stalled = new TaskCompletionSource();
        machine.Socket = async (socket, _) =>
        {
            var chunk = new byte[1 << 20];
            while (true)
            {
                var write = socket.SendAsync(chunk, WebSocketMessageType.Binary, true, CancellationToken.None);
                if (await Task.WhenAny(write, Task.Delay(TimeSpan.FromMilliseconds(700), TimeProvider.System)) != write)
                {
                    stalled.TrySetResult();
                }

                await write;
                Interlocked.Add(ref written, chunk.Length);
            }
        };
        using var socket = await OpenAsync(server, $"/desktops/{id}/ws/audio?token={server.Key}");

        await stalled.Task.WaitAsync(TimeSpan.FromSeconds(20), Soon);

        Assert.InRange(Interlocked.Read(ref written), 0, 64 << 20);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
    }

    [Theory]
    [InlineData("websockify")]
    [InlineData("terminal")]
    public async Task A_half_open_peer_is_dropped_and_leaves_nothing(string name)
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { SocketKeepAlive = TimeSpan.FromSeconds(1), MaxSockets = 1 });
        var (id, _) = await server.ComputerAsync();
        var path = $"/desktops/{id}/ws/{name}?token={server.Key}";
        using var silent = new System.Net.Sockets.TcpClient();
        await silent.ConnectAsync(server.Address.Host, server.Address.Port, Soon);
        await silent.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"), Soon);

        // It holds the only place, says nothing, answers no ping and never closes.
        await UntilAcceptedAsync(server, path);
    }
}
