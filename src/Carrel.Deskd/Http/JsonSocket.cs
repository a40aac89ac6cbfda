using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;

namespace Carrel.Deskd.Http;

/// <summary>
/// A WebSocket of JSON messages (reference section 7): answers pings, refuses what is no JSON object, caps what it takes, and
/// lets several senders send.
/// </summary>
internal sealed class JsonSocket(WebSocket socket, TimeProvider time) : IDisposable
{
    /// <summary>Longest message taken, in bytes. A longer one closes the socket with 1009.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    /// <summary>How long a peer may take to answer a close.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _sending = new(1);
    // Ends what still waits for a peer once a close has been sent and not been answered in time.
    private readonly CancellationTokenSource _patience = new(Timeout.InfiniteTimeSpan, time);
    private byte[] _buffer = new byte[4096];

    /// <summary>The next message, or null when the socket is over. Only one reader at a time.</summary>
    public async Task<JsonElement?> ReceiveAsync()
    {
        try
        {
            while (await NextAsync() is { } bytes)
            {
                if (Parse(bytes) is not { } message)
                {
                    await SendErrorAsync("a message must be a JSON object with a type");
                }
                else if (message.GetProperty("type").ValueEquals("ping"u8))
                {
                    await SendAsync(json => json.WriteString("type"u8, "pong"u8));
                }
                else
                {
                    return message;
                }
            }
        }
        catch (Exception gone) when (IsGone(gone))
        {
            // The peer left without a word, or did not answer a close in time.
        }

        return null;
    }

    /// <summary>Sends a JSON object of the given properties. A peer that reads slowly holds this up; one that has gone makes it throw.</summary>
    public async Task SendAsync(Action<Utf8JsonWriter> writeProperties) =>
        await SendAsync(Reply.JsonBytes(writeProperties), WebSocketMessageType.Text);

    public Task SendErrorAsync(string message) => SendAsync(json =>
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("message"u8, message);
    });

    public Task SendBinaryAsync(ReadOnlyMemory<byte> bytes) => SendAsync(bytes, WebSocketMessageType.Binary);

    /// <summary>Sends UTF-8 that is a message already.</summary>
    public Task SendTextAsync(ReadOnlyMemory<byte> utf8) => SendAsync(utf8, WebSocketMessageType.Text);

    /// <summary>Sends the close. The reader sees the end when the peer has answered, or when its time for that is up.</summary>
    public async Task CloseAsync(int code, string reason)
    {
        _patience.CancelAfter(CloseGrace);
        try
        {
            await _sending.WaitAsync(_patience.Token);
            try
            {
                if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                {
                    await socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, _patience.Token);
                }
            }
            finally
            {
                _sending.Release();
            }
        }
        catch (Exception gone) when (IsGone(gone))
        {
            socket.Abort();
        }
    }

    /// <summary>Whether an exception of a send says no more than that the peer has gone.</summary>
    public static bool IsGone(Exception thrown) => thrown is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;

    public void Dispose()
    {
        _patience.Dispose();
        socket.Dispose();
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, WebSocketMessageType type)
    {
        await _sending.WaitAsync(_patience.Token);
        try
        {
            await socket.SendAsync(bytes, type, endOfMessage: true, _patience.Token);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task<ReadOnlyMemory<byte>?> NextAsync()
    {
        for (var length = 0; ;)
        {
            if (length == _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Min(_buffer.Length * 4, MaxMessageBytes + 1));
            }

            var read = await socket.ReceiveAsync(_buffer.AsMemory(length), _patience.Token);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                await CloseAsync((int)WebSocketCloseStatus.NormalClosure, "");
                return null;
            }

            length += read.Count;
            if (length > MaxMessageBytes)
            {
                await CloseAsync((int)WebSocketCloseStatus.MessageTooBig, $"a message holds at most {MaxMessageBytes} bytes");
                return null;
            }

            if (read.EndOfMessage)
            {
                return _buffer.AsMemory(0, length);
            }
        }
    }

    private static JsonElement? Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
                ? document.RootElement.Clone()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
