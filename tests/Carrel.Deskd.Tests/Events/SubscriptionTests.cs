using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Carrel.Contracts.Events;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Events;

public sealed partial class SubscriptionTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task Nothing_comes_before_it_is_asked_for_and_after_it_is_no_longer_wanted()
    {
        using var client = await EventsClient.ConnectAsync(desk);
        await desk.CopyAsync("one");
        await client.AskAsync(new { type = "ping" }, "pong");
        await client.SubscribeAsync("clipboard");
        await desk.CopyAsync("two");
        await client.EventAsync("clipboard");
        await client.UnsubscribeAsync("clipboard");
        await desk.CopyAsync("three");
        await client.SubscribeAsync("clipboard");
        await desk.CopyAsync("four");
        await client.EventAsync("clipboard");

        Assert.Equal(["clipboard two", "clipboard four"], client.Events(data => data.GetProperty("content").GetString()!));
    }

    [Fact]
    public async Task Subscriptions_are_answered_and_add_up()
    {
        using var client = await EventsClient.ConnectAsync(desk);
        foreach (var type in EventCatalogue.All.Select(kind => kind.Name).Where(name => !name.StartsWith("audio", StringComparison.Ordinal)))
        {
            var answer = await client.SubscribeAsync(type);
            Assert.Equal("ok", answer.GetProperty("message").GetString());
        }

        await desk.CopyAsync("still subscribed");
        await client.EventAsync("clipboard", data => data.GetProperty("content").GetString() == "still subscribed");
    }

    [Fact]
    public async Task An_unknown_type_is_told_and_the_others_count()
    {
        using var client = await EventsClient.ConnectAsync(desk);
        await client.SubscribeAsync("invalid_type", "clipboard");

        Assert.Equal("Unknown event type: invalid_type", client.Seen[0].GetProperty("message").GetString());
        await desk.CopyAsync("known");
        await client.EventAsync("clipboard");
    }

    [Theory]
    [InlineData("""{"type":"subscribe"}""", "event_types must be a list of event types")]
    [InlineData("""{"type":"subscribe","event_types":"clipboard"}""", "event_types must be a list of event types")]
    [InlineData("""{"type":"subscribe","event_types":[7]}""", "Unknown event type: ")]
    [InlineData("""{"type":"listen"}""", "Unknown message type: listen")]
    [InlineData("""{"type":"subscribe","event_types":["file_change"],"paths":"/srv"}""", "paths must be a list of paths")]
    [InlineData("""{"type":"subscribe","event_types":["file_change"],"paths":["srv"]}""", "A path to watch must be absolute: srv")]
    [InlineData("""{"type":"subscribe","event_types":["clipboard"],"paths":["/srv"]}""", "paths go with file_change")]
    public async Task What_cannot_be_is_told(string message, string error)
    {
        using var client = await EventsClient.ConnectAsync(desk);

        var answer = await client.AskAsync(JsonSerializer.Deserialize<JsonElement>(message), "error");

        Assert.Equal(error, answer.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_message_of_nonsense_is_not_answered_a_thousand_times()
    {
        using var client = await EventsClient.ConnectAsync(desk);
        await client.SendAsync(new { type = "subscribe", event_types = Enumerable.Range(0, 1000).Select(n => $"no{n}") });
        await client.AskAsync(new { type = "ping" }, "pong");

        Assert.Equal(16, client.Seen.Count(seen => seen.GetProperty("type").GetString() == "error"));
    }

    [Fact]
    public async Task An_event_has_a_timestamp_in_utc_with_milliseconds()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "clipboard");
        await desk.CopyAsync("now");
        await client.EventAsync("clipboard");

        var stamp = client.Seen[^1].GetProperty("event").GetProperty("timestamp").GetString()!;
        Assert.Matches(Timestamp(), stamp);
        Assert.InRange(DateTimeOffset.Parse(stamp, null) - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(-1), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Without_an_upgrade_the_client_is_told_what_this_is()
    {
        using var response = await desk.Host.GetAsync("/events");

        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Fact]
    public async Task The_catalogue_names_every_type()
    {
        var catalogue = await desk.Host.GetFromJsonAsync<JsonElement>("/");

        Assert.Equal(EventCatalogue.All.Select(kind => kind.Name), catalogue.GetProperty("event_types").EnumerateArray().Select(type => type.GetString()));
    }

    [Fact]
    public async Task Two_connections_do_not_mind_each_other()
    {
        using var one = await EventsClient.SubscribedAsync(desk, "clipboard");
        using (var two = await EventsClient.SubscribedAsync(desk, "clipboard"))
        {
            await desk.CopyAsync("both");
            await one.EventAsync("clipboard");
            await two.EventAsync("clipboard");
            await two.CloseAsync();
        }

        await desk.CopyAsync("one");
        await one.EventAsync("clipboard", data => data.GetProperty("content").GetString() == "one");
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex Timestamp();
}
