using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Carrel.Deskd.Tests.World;

/// <summary>A client of deskd's events, over the host's socket.</summary>
internal sealed class EventsClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly string[] FileChange = ["file_change"];
    private readonly ClientWebSocket _socket = new();
    private readonly List<JsonElement> _seen = [];
    private readonly byte[] _buffer = new byte[8 * 1024 * 1024];

    /// <summary>All messages read so far.</summary>
    public IReadOnlyList<JsonElement> Seen => _seen;

    public static async Task<EventsClient> ConnectAsync(Desk desk)
    {
        var client = new EventsClient();
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(desk.Folder, "deskd.sock")), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        await client._socket.ConnectAsync(new Uri("ws://deskd/events"), invoker, default);
        return client;
    }

    public static async Task<EventsClient> SubscribedAsync(Desk desk, params string[] types)
    {
        var client = await ConnectAsync(desk);
        await client.SubscribeAsync(types);
        return client;
    }

    public Task<JsonElement> SubscribeAsync(params string[] types) => AskAsync(new { type = "subscribe", event_types = types }, "subscribed");

    public Task<JsonElement> UnsubscribeAsync(params string[] types) => AskAsync(new { type = "unsubscribe", event_types = types }, "unsubscribed");

    /// <summary>Asks for changes below a path, or takes that back.</summary>
    public Task<JsonElement> WatchAsync(string path, bool recursive = false, string type = "subscribe") =>
        AskAsync(new { type, event_types = FileChange, paths = Enumerable.Repeat(path, 1), recursive }, type + "d");

    public Task SendAsync(object message) =>
        _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, default);

    /// <summary>Sends, and reads up to the answer of a type.</summary>
    public async Task<JsonElement> AskAsync(object message, string answer)
    {
        await SendAsync(message);
        return await MessageAsync(seen => seen.GetProperty("type").GetString() == answer);
    }

    /// <summary>Reads up to an event of a type whose data is wanted; returns the data.</summary>
    public async Task<JsonElement> EventAsync(string type, Func<JsonElement, bool>? wanted = null)
    {
        var message = await MessageAsync(seen => seen.GetProperty("type").GetString() == "event"
            && seen.GetProperty("event").GetProperty("type").GetString() == type
            && wanted?.Invoke(seen.GetProperty("event").GetProperty("data")) != false);
        return message.GetProperty("event").GetProperty("data");
    }

    /// <summary>The events read so far, as words.</summary>
    public IEnumerable<string> Events(Func<JsonElement, string> words) => _seen.Where(seen => seen.GetProperty("type").GetString() == "event")
        .Select(seen => $"{seen.GetProperty("event").GetProperty("type").GetString()} {words(seen.GetProperty("event").GetProperty("data"))}");

    public async Task<JsonElement> MessageAsync(Func<JsonElement, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                var message = await NextAsync(limit.Token);
                _seen.Add(message);
                if (wanted(message))
                {
                    return message;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"it did not come; the last that came of {_seen.Count}: {string.Join(' ', _seen.TakeLast(20))}");
        }
    }

    public Task CloseAsync() => _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", default);

    public void Dispose() => _socket.Dispose();

    private async Task<JsonElement> NextAsync(CancellationToken cancellationToken)
    {
        for (var length = 0; ;)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            length += read.Count;
            if (read.MessageType == WebSocketMessageType.Close)
            {
                throw new InvalidOperationException($"the socket was closed: {_socket.CloseStatus} {Encoding.UTF8.GetString(_buffer, 0, length)}");
            }

            if (read.EndOfMessage)
            {
                using var document = JsonDocument.Parse(_buffer.AsMemory(0, length));
                return document.RootElement.Clone();
            }
        }
    }
}
