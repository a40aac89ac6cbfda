using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Events;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Events;

/// <summary>
/// The socket of events (reference section 7.4). Nothing is sent until it is asked for. What a message asks for that cannot be
/// is told in an error each; the rest of the message counts.
/// </summary>
/// <param name="lazyHub">Made for the first who asks, so that nobody else pays for it.</param>
internal sealed class EventsEndpoint(Lazy<EventHub> lazyHub, TimeProvider time)
{
    /// <summary>Errors told of one message.</summary>
    private const int MostErrors = 16;

    public Route Route => new("GET", "/events", "What happens in the computer, over a WebSocket.", ServeAsync);

    private async Task<Reply> ServeAsync(Exchange exchange)
    {
        if (!exchange.IsWebSocketRequest)
        {
            return Reply.Error(426, ErrorCodes.UpgradeRequired, "/events is a WebSocket; connect to it with ws://");
        }

        var hub = lazyHub.Value;
        var client = new EventClient();
        Task sending;
        using (var socket = new JsonSocket(await exchange.AcceptWebSocketAsync(), time))
        {
            sending = SendAsync(socket, client.Outbox);
            try
            {
                while (await socket.ReceiveAsync() is { } message)
                {
                    await TakeAsync(hub, socket, client, message);
                }
            }
            catch (Exception gone) when (JsonSocket.IsGone(gone))
            {
                // It went away before it had its answer.
            }
            finally
            {
                await hub.UnsubscribeAsync(client, client.Types, client.Paths);
                client.Outbox.Close();
            }
        }

        await sending;
        return Reply.Taken;
    }

    private static async Task SendAsync(JsonSocket socket, EventOutbox outbox)
    {
        try
        {
            while (await outbox.NextAsync() is { } message)
            {
                await socket.SendTextAsync(message);
            }
        }
        catch (Exception gone) when (JsonSocket.IsGone(gone))
        {
            // The reading side notices too, and ends the subscription.
        }
    }

    private static async Task TakeAsync(EventHub hub, JsonSocket socket, EventClient client, JsonElement message)
    {
        var type = message.GetProperty("type").GetString();
        if (type is not ("subscribe" or "unsubscribe"))
        {
            await socket.SendErrorAsync($"Unknown message type: {Short(type)}");
            return;
        }

        var wish = EventWish.Read(message, hub, MostErrors);
        foreach (var problem in wish.Problems)
        {
            await socket.SendErrorAsync(problem);
        }

        if (type == "subscribe")
        {
            await SubscribeAsync(hub, socket, client, wish);
        }
        else if (wish.IsSomething)
        {
            // Without paths, all that was watched for the type ends with it.
            var paths = wish.Types.Contains(EventCatalogue.FileChange) && wish.Paths.Count == 0 ? [.. client.Paths] : wish.Paths;
            var types = wish.Paths.Count > 0 && client.Paths.Except(wish.Paths).Any() ? wish.Types.Where(name => name != EventCatalogue.FileChange) : wish.Types;
            await hub.UnsubscribeAsync(client, types, paths);
            await AnswerAsync(socket, "unsubscribed");
        }
    }

    private static async Task SubscribeAsync(EventHub hub, JsonSocket socket, EventClient client, EventWish wish)
    {
        if (!wish.IsSomething)
        {
            return;
        }

        var paths = wish.Types.Contains(EventCatalogue.FileChange) && wish.Paths.Count == 0 ? FileSource.Default : wish.Paths;
        if (client.Paths.Except(FileSource.Default).Union(wish.Paths).Count() > EventCatalogue.MostPaths)
        {
            await socket.SendErrorAsync($"A connection may have at most {EventCatalogue.MostPaths} paths watched");
            paths = [];
        }

        foreach (var problem in await hub.SubscribeAsync(client, wish.Types, paths))
        {
            await socket.SendErrorAsync(problem);
        }

        await AnswerAsync(socket, "subscribed");
    }

    private static Task AnswerAsync(JsonSocket socket, string type) => socket.SendAsync(json =>
    {
        json.WriteString("type"u8, type);
        json.WriteString("message"u8, "ok"u8);
    });

    internal static string Short(string? text) => text is null ? "" : text.Length <= 60 ? text : $"{text[..57]}...";
}
