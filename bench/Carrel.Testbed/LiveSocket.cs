using System.Net.WebSockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Carrel.Testbed;

/// <summary>A terminal, audio or events socket of a computer, as a plain client has it.</summary>
public sealed class LiveSocket : IDisposable
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly StringBuilder _shown = new();

    /// <summary>Close code, once the other side has closed.</summary>
    public int? Closed { get; private set; }

    /// <summary>What a terminal has shown, when <see cref="UntilShownAsync"/> or <see cref="NextAsync"/> read it.</summary>
    public string Shown => _shown.ToString();

    public static async Task<LiveSocket> ConnectAsync(Uri server, string id, string pathAndQuery, string token)
    {
        var live = new LiveSocket();
        using var limit = new CancellationTokenSource(Patience);
        await live._socket.ConnectAsync(AddressOf(server, id, pathAndQuery, token), limit.Token);
        return live;
    }

    public static Uri AddressOf(Uri server, string id, string pathAndQuery, string token)
    {
        var separator = pathAndQuery.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        return new Uri($"ws://{server.Authority}/desktops/{id}/ws/{pathAndQuery}{separator}token={token}");
    }

    public Task SendAsync(object message) =>
        _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, Plain), WebSocketMessageType.Text, true, CancellationToken.None);

    public Task TypeAsync(string text) => SendAsync(new { type = "input", data = text });

    /// <summary>The next message, valid until the one after: its text, or the bytes of a binary one; null when closed.</summary>
    public async Task<(JsonElement? Json, byte[] Bytes)?> ReceiveAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        using var whole = new MemoryStream();
        while (true)
        {
            var part = await _socket.ReceiveAsync(_buffer, limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                Closed = (int)_socket.CloseStatus!;
                await AnswerCloseAsync(limit.Token);
                return null;
            }

            whole.Write(_buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return part.MessageType == WebSocketMessageType.Text ? (JsonElement.Parse(whole.ToArray()), []) : (null, whole.ToArray());
            }
        }
    }

    /// <summary>The next JSON message of a type, past others; null when closed.</summary>
    public async Task<JsonElement?> NextAsync(string type)
    {
        while (await ReceiveAsync() is { } message)
        {
            if (message.Json is not { } json)
            {
                continue;
            }

            var its = json.GetProperty("type").GetString();
            if (its == "output")
            {
                _shown.Append(json.GetProperty("data").GetString());
            }

            if (its == type)
            {
                return json;
            }
        }

        return null;
    }

    /// <summary>Reads a terminal's output until it holds a text.</summary>
    public async Task<string> UntilShownAsync(string text)
    {
        for (var from = 0; !_shown.ToString(from, _shown.Length - from).Contains(text, StringComparison.Ordinal);)
        {
            from = Math.Max(0, _shown.Length - text.Length);
            try
            {
                if (await NextAsync("output") is null)
                {
                    throw new UnexpectedAnswerException($"closed with {Closed} before \"{text}\" was shown; shown was: {Tail()}");
                }
            }
            catch (OperationCanceledException)
            {
                throw new UnexpectedAnswerException($"\"{text}\" was not shown; shown was: {Tail()}");
            }
        }

        return Shown;
    }

    public Task SendTextAsync(ReadOnlyMemory<byte> utf8) => _socket.SendAsync(utf8, WebSocketMessageType.Text, true, CancellationToken.None).AsTask();

    /// <summary>Reads on until the other side closes; returns the code.</summary>
    public async Task<int> UntilClosedAsync()
    {
        while (await ReceiveAsync() is not null)
        {
            // What came before the close does not matter.
        }

        return Closed!.Value;
    }

    /// <summary>Forgets what was shown.</summary>
    public void Clear() => _shown.Clear();

    public async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", limit.Token);
    }

    private async Task AnswerCloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", cancellationToken);
        }
        catch (WebSocketException)
        {
            // Whoever closed need not wait for the answer: a server that ends has its own end to see to.
        }
    }

    public void Abort() => _socket.Abort();

    public void Dispose() => _socket.Dispose();

    private string Tail() => _shown.Length > 2000 ? _shown.ToString(_shown.Length - 2000, 2000) : Shown;
}
