using System.Net.WebSockets;
using System.Text;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

public sealed class VncSocketTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    [Fact]
    public async Task The_socket_speaks_rfb_with_the_password_or_a_key()
    {
        foreach (var token in (string[])[shared.Computer.Created["vnc_password"]!.GetValue<string>(), shared.Installation.Key])
        {
            using var socket = await ConnectAsync(shared.Computer.InstanceId, token);
            var greeting = new byte[12];
            await socket.ReceiveAsync(greeting.AsMemory(), default);

            Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString(greeting));
        }
    }

    [Theory]
    [InlineData("wrong", 4401)]
    [InlineData("", 4401)]
    public async Task A_wrong_token_is_told_by_its_close_code(string token, int code)
        => Assert.Equal(code, await CloseCodeAsync(shared.Computer.InstanceId, token));

    [Fact]
    public async Task An_unknown_computer_is_told_by_its_close_code()
        => Assert.Equal(4404, await CloseCodeAsync("deadbeef", shared.Installation.Key));

    [Fact]
    public async Task Garbage_closes_the_socket_and_nothing_else()
    {
        using var socket = await ConnectAsync(shared.Computer.InstanceId, shared.Installation.Key);
        await socket.SendAsync(Encoding.ASCII.GetBytes(new string('x', 100_000)), WebSocketMessageType.Binary, true, default);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[4096];
        while (socket.State == WebSocketState.Open && (await socket.ReceiveAsync(buffer.AsMemory(), limit.Token)).MessageType != WebSocketMessageType.Close)
        {
        }

        Assert.Equal("fine\n", await shared.Computer.BashAsync("echo fine"));
    }

    private async Task<int> CloseCodeAsync(string id, string token)
    {
        using var socket = await ConnectAsync(id, token);
        var result = await socket.ReceiveAsync(new byte[16].AsMemory(), default);
        Assert.Equal(WebSocketMessageType.Close, result.MessageType);
        return (int)socket.CloseStatus!;
    }

    private async Task<ClientWebSocket> ConnectAsync(string id, string token)
    {
        var socket = new ClientWebSocket();
        var address = shared.Installation.Address;
        await socket.ConnectAsync(new Uri($"ws://{address.Authority}/desktops/{id}/ws/websockify?token={token}"), default);
        return socket;
    }
}
