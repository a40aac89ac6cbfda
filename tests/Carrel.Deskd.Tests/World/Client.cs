using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Carrel.Deskd.Tests.World;

/// <summary>A WebSocket client of deskd's TCP port.</summary>
internal sealed class Client : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _shown = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>Close code, once the other side has closed.</summary>
    public int? Closed { get; private set; }

    /// <summary>What a terminal has shown.</summary>
    public string Shown => _shown.ToString();

    public int ShownLength => _shown.Length;

    public static async Task<Client> ConnectAsync(Desk desk, string pathAndQuery)
    {
        var client = new Client();
        using var limit = new CancellationTokenSource(Patience);
        var separator = pathAndQuery.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        await client._socket.ConnectAsync(new Uri($"ws://127.0.0.1:{desk.TcpPort}{pathAndQuery}{separator}token={Desk.Token}"), limit.Token);
        return client;
    }

    public Task SendAsync(object message) => SendAsync(JsonSerializer.Serialize(message, Plain));

    public Task SendAsync(string text) => _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    public Task TypeAsync(string text) => SendAsync(new { type = "input", data = text });

    /// <summary>The next message: text, or the bytes of a binary one; null when closed.</summary>
    public async Task<(string? Text, byte[]? Bytes)?> ReceiveAsync(TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        using var whole = new MemoryStream();
        while (true)
        {
            var part = await _socket.ReceiveAsync(_buffer, limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                Closed = (int)_socket.CloseStatus!;
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", limit.Token);
                return null;
            }

            whole.Write(_buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return part.MessageType == WebSocketMessageType.Text
                    ? (Encoding.UTF8.GetString(whole.ToArray()), null)
                    : (null, whole.ToArray());
            }
        }
    }

    /// <summary>The next JSON message of a type, past others; null when closed.</summary>
    public async Task<JsonElement?> NextAsync(string type)
    {
        while (await ReceiveAsync() is { } message)
        {
            if (message.Text is { } text && Note(JsonElement.Parse(text)) is var json && json.GetProperty("type").GetString() == type)
            {
                return json;
            }
        }

        return null;
    }

    /// <summary>Reads output until it holds a text; fails when the socket closes before.</summary>
    public async Task<string> UntilShownAsync(string text)
    {
        try
        {
            for (var from = 0; !_shown.ToString(from, _shown.Length - from).Contains(text, StringComparison.Ordinal);)
            {
                from = Math.Max(0, _shown.Length - text.Length);
                Assert.True(await NextAsync("output") is not null, $"closed with {Closed} before \"{text}\" was shown; shown was: {Shown}");
            }

            return Shown;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"\"{text}\" was not shown; shown was: {(Shown.Length > 3000 ? Shown[^3000..] : Shown)}");
        }
    }

    public async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", limit.Token);
    }

    /// <summary>Goes away without a word.</summary>
    public void Abort() => _socket.Abort();

    public void Dispose() => _socket.Dispose();

    private JsonElement Note(JsonElement message)
    {
        if (message.GetProperty("type").GetString() == "output")
        {
            var data = message.GetProperty("data").GetString()!;
            // Half of a character in a frame would not have passed as a string of its own.
            Assert.Equal(data, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(data)));
            _shown.Append(data);
        }

        return message;
    }
}
