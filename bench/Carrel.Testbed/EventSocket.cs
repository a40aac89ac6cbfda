using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Carrel.Testbed;

/// <summary>A client of a computer's events.</summary>
public sealed class EventSocket : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[8 * 1024 * 1024];
    private readonly List<string> _seen = [];

    private EventSocket()
    {
    }

    public static async Task<EventSocket> SubscribedAsync(Installation installation, Computer computer, params string[] types)
    {
        var opened = new EventSocket();
        await opened._socket.ConnectAsync(LiveSocket.AddressOf(installation.Address, computer.InstanceId, "events", installation.Key), default);
        await opened.SendAsync(new { type = "subscribe", event_types = types }, "subscribed");
        return opened;
    }

    /// <summary>Sends a message and reads up to its answer.</summary>
    public async Task SendAsync(object message, string answer)
    {
        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, default);
        await UntilAsync(
            told => Text(told, "type") == "error" ? throw new UnexpectedAnswerException(told.ToJsonString()) : Text(told, "type") == answer, answer, seconds: 30);
    }

    /// <summary>Reads up to an event of a type whose data is wanted; returns the data.</summary>
    public async Task<JsonObject> EventAsync(string type, Func<JsonObject, bool>? wanted = null, int seconds = 30)
    {
        var message = await UntilAsync(
            told => told["event"] is JsonObject happened && Text(happened, "type") == type && wanted?.Invoke(happened["data"]!.AsObject()) != false, type, seconds);
        return message["event"]!["data"]!.AsObject();
    }

    public void Dispose() => _socket.Dispose();

    public static string Text(JsonObject json, string name) => json[name]!.GetValue<string>();

    private async Task<JsonObject> UntilAsync(Func<JsonObject, bool> wanted, string what, int seconds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            while (true)
            {
                var message = await NextAsync(limit.Token);
                if (wanted(message))
                {
                    return message;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new UnexpectedAnswerException($"no {what} within {seconds} s, but {string.Join('\n', _seen)}");
        }
    }

    private async Task<JsonObject> NextAsync(CancellationToken cancellationToken)
    {
        for (var length = 0; ;)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                throw new UnexpectedAnswerException($"the socket was closed with {(int?)_socket.CloseStatus} ({_socket.CloseStatusDescription})");
            }

            length += read.Count;
            if (read.EndOfMessage)
            {
                var message = JsonNode.Parse(_buffer.AsSpan(0, length))!.AsObject();
                _seen.Add(message.ToJsonString());
                return message;
            }
        }
    }
}
