using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Carrel.Testbed;

/// <summary>A client's side of one of a computer's sockets.</summary>
public sealed class LiveSocket : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[256 * 1024];

    private LiveSocket()
    {
    }

    /// <summary>The code it was closed with, once it was.</summary>
    public int? CloseCode => (int?)_socket.CloseStatus;

    /// <param name="name">websockify, terminal, audio or events.</param>
    /// <param name="query">Further parameters, <c>a=b&amp;c=d</c>.</param>
    public static async Task<LiveSocket> OpenAsync(Installation installation, string computer, string name, string? query = null, string? token = null)
    {
        var opened = new LiveSocket();
        var address = $"ws://{installation.Address.Authority}/desktops/{computer}/ws/{name}?token={token ?? installation.Key}{(query is null ? "" : "&" + query)}";
        await opened._socket.ConnectAsync(new Uri(address), default);
        return opened;
    }

    public Task SendAsync(object message) => _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, default);

    public Task SendBytesAsync(ReadOnlyMemory<byte> bytes, bool text = false) =>
        _socket.SendAsync(bytes, text ? WebSocketMessageType.Text : WebSocketMessageType.Binary, true, default).AsTask();

    /// <summary>The next piece of a message, or null when it is closed; the piece lives until the next call.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReceiveAsync(int seconds = 30)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(), limit.Token);
            return read.MessageType == WebSocketMessageType.Close ? null : _buffer.AsMemory(0, read.Count);
        }
        catch (OperationCanceledException)
        {
            throw new UnexpectedAnswerException($"nothing came over the socket within {seconds} s");
        }
    }

    /// <summary>The next text message as JSON, past binary ones.</summary>
    public async Task<JsonObject> MessageAsync(int seconds = 30)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var length = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), limit.Token);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                throw new UnexpectedAnswerException($"the socket was closed with {CloseCode} ({_socket.CloseStatusDescription})");
            }

            length = read.MessageType == WebSocketMessageType.Text ? length + read.Count : 0;
            if (read.EndOfMessage && length > 0)
            {
                return JsonNode.Parse(Encoding.UTF8.GetString(_buffer, 0, length))!.AsObject();
            }
        }
    }

    /// <summary>Reads on until it is closed, and answers the close; returns the code.</summary>
    public async Task<int> UntilClosedAsync(int seconds = 30)
    {
        while (await ReceiveAsync(seconds) is not null)
        {
            // What came before the close does not matter.
        }

        await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", default);
        return CloseCode!.Value;
    }

    public async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", limit.Token);
    }

    public void Dispose() => _socket.Dispose();
}
