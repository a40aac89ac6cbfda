using System.Net.WebSockets;
using Xunit;

namespace Carrel.Server.Tests.Fakes;

/// <summary>A client's side of a socket.</summary>
internal static class Sockets
{
    private static CancellationToken Soon => TestContext.Current.CancellationToken;

    public static async Task<ClientWebSocket> OpenAsync(
        RunningServer server, string path, string? bearer = null, string? protocol = null, string? cookie = null, string? origin = null)
    {
        var socket = new ClientWebSocket();
        foreach (var (name, value) in new[] { ("Authorization", bearer is null ? null : "Bearer " + bearer), ("Cookie", cookie), ("Origin", origin) })
        {
            if (value is not null)
            {
                socket.Options.SetRequestHeader(name, value);
            }
        }

        if (protocol is not null)
        {
            socket.Options.AddSubProtocol(protocol);
        }

        await socket.ConnectAsync(new Uri("ws://" + server.Address.Authority + path), Soon);
        return socket;
    }

    /// <summary>Opens it again and again until it is open for use: places are given back a moment after a peer has gone.</summary>
    public static async Task UntilAcceptedAsync(RunningServer server, string path)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            using var socket = await OpenAsync(server, path);
            await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, limit.Token);
            if ((await socket.ReceiveAsync(new byte[64], limit.Token)).MessageType != WebSocketMessageType.Close)
            {
                return;
            }
        }
    }

    public static async Task AssertClosedAsync(RunningServer server, string path, int code)
    {
        using var socket = await OpenAsync(server, path);
        Assert.Equal(code, await CloseCodeAsync(socket));
    }

    public static async Task<int> CloseCodeAsync(ClientWebSocket socket)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[4096];
        while (socket.CloseStatus is null)
        {
            await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", limit.Token);
        return (int)socket.CloseStatus;
    }

    public static async Task<byte[]> ReadAsync(ClientWebSocket socket, int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var bytes = new byte[count];
        for (var have = 0; have < count;)
        {
            have += (await socket.ReceiveAsync(bytes.AsMemory(have), limit.Token)).Count;
        }

        return bytes;
    }
}
