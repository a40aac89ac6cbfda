using System.Text.Json;
using Carrel.Contracts.Events;
using Carrel.Deskd.Events;
using Carrel.Deskd.Tests.World;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Tests.Events;

public sealed class DisplayEventTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task Windows_come_go_and_take_the_focus()
    {
        using var manager = await WindowList.OpenAsync(desk);
        var old = manager.NewWindow("there before");
        manager.Show(old);
        manager.Focus(old);
        await manager.SyncAsync();
        using var client = await EventsClient.SubscribedAsync(desk, "window_open", "window_focus", "window_close");
        var (plain, latin, nameless) = (manager.NewWindow("Grüße 世界"), manager.NewWindow(null, "Grüße"), manager.NewWindow(null));

        manager.Show(old, plain);
        await client.EventAsync("window_open");
        manager.Focus(plain);
        await client.EventAsync("window_focus");
        manager.Show(old, plain, latin, nameless);
        await client.EventAsync("window_open", data => data.GetProperty("title").GetString() == "");
        manager.Focus(0);
        manager.Show(plain, latin);
        await client.EventAsync("window_close");
        await client.EventAsync("window_close");

        Assert.Equal(
            [
                $"window_open 0x{plain:x} Grüße 世界", $"window_focus 0x{plain:x} Grüße 世界", $"window_open 0x{latin:x} Grüße",
                $"window_open 0x{nameless:x} ", $"window_close 0x{old:x} -", $"window_close 0x{nameless:x} -",
            ],
            client.Events(data => $"{data.GetProperty("window_id").GetString()} {(data.TryGetProperty("title", out var title) ? title.GetString() : "-")}"));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(600_000)]
    public async Task What_is_copied_is_told(int length)
    {
        using var client = await EventsClient.SubscribedAsync(desk, "clipboard");
        var text = string.Concat(Enumerable.Range(0, length / 10).Select(i => $"é{i:x7}\n"));

        await desk.CopyAsync(text);

        Assert.Equal(text, (await client.EventAsync("clipboard")).GetProperty("content").GetString());
    }

    [Fact]
    public async Task What_is_put_on_the_clipboard_through_us_is_told_too()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "clipboard");
        using var body = new StringContent("""{"content":"put"}""");
        using var answer = await desk.Host.PutAsync("/clipboard", body);

        Assert.Equal("put", (await client.EventAsync("clipboard")).GetProperty("content").GetString());
    }

    [Fact]
    public async Task Marking_text_is_not_copying_it()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "clipboard");
        await desk.Shell("echo -n marked | xclip -selection primary >/dev/null 2>&1");
        await desk.CopyAsync("copied");
        await client.EventAsync("clipboard");

        Assert.Equal(["clipboard copied"], client.Events(data => data.GetProperty("content").GetString()!));
    }

    [Fact]
    public async Task A_program_that_owns_the_clipboard_and_hangs_holds_nobody_up()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "clipboard", "screen_change");
        using var stuck = desk.Start("exec sh -c 'echo $$ > " + desk.Folder + "/stuck; echo -n stuck | exec xclip -quiet -selection clipboard'");
        await client.EventAsync("clipboard");
        await desk.Shell($"kill -STOP $(pgrep -P $(cat {desk.Folder}/stuck) xclip || cat {desk.Folder}/stuck)");

        using var answer = await desk.Host.GetAsync("/clipboard");
        Assert.Equal(504, (int)answer.StatusCode);
        await desk.CopyAsync("next");
        await client.EventAsync("clipboard", data => data.GetProperty("content").GetString() == "next");
    }

    [Fact]
    public async Task A_new_size_of_the_screen_is_told()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "screen_change");
        await desk.Identify(1000, 700);
        var data = await client.EventAsync("screen_change");
        await desk.Identify();
        await client.EventAsync("screen_change");

        Assert.Equal((1000, 700), (data.GetProperty("width").GetInt32(), data.GetProperty("height").GetInt32()));
        Assert.Equal(["screen_change 1000x700", "screen_change 1280x720"], client.Events(size => $"{size.GetProperty("width")}x{size.GetProperty("height")}"));
    }

    [Fact]
    public async Task A_screen_that_changed_and_came_to_rest_is_told_once()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "screen_settled");
        foreach (var colour in (string[])["red", "green", "blue"])
        {
            await desk.Shell($"xsetroot -solid {colour}");
            await client.EventAsync("screen_settled");
        }

        Assert.Equal(3, client.Events(_ => "").Count());
    }

    [Fact]
    public async Task A_screen_that_settled_says_for_how_long_it_was_changing()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "screen_settled");

        // On a busy machine the painter may itself pause for as long as makes a rest; then it settles in between.
        for (var (attempts, longest) = (20, 0); longest < 200; attempts--)
        {
            Assert.NotEqual(0, attempts);
            await desk.Shell("for i in 1 2 3 4 5 6 7 8 9 10; do xsetroot -solid red; xsetroot -solid blue; sleep 0.03; done");
            longest = (await client.EventAsync("screen_settled")).GetProperty("changing_ms").GetInt32();
            Assert.InRange(longest, 0, 60_000);
        }
    }

    [Fact]
    public async Task Idle_and_active_follow_the_input()
    {
        var link = new DisplayLink(desk.Display);
        link.Start();
        await Eventually.Is(() => link.Current, display => display is not null);
        var hub = new EventHub(TimeProvider.System);
        hub.Add(new IdleSource(link, hub, TimeSpan.FromSeconds(1)));
        var client = new EventClient();
        await desk.Post("/mouse_move", ("x", 20), ("y", 20));
        Assert.Empty(await hub.SubscribeAsync(client, [EventCatalogue.Idle, EventCatalogue.Active], []));

        Assert.Equal("idle {\"idle_seconds\":1}", Words(await client.Outbox.NextAsync()));
        await desk.Post("/mouse_move", ("x", 30), ("y", 30));
        Assert.Equal("active {}", Words(await client.Outbox.NextAsync()));
        Assert.Equal("idle {\"idle_seconds\":1}", Words(await client.Outbox.NextAsync()));
        await desk.Post("/key", ("key", "shift"));
        Assert.Equal("active {}", Words(await client.Outbox.NextAsync()));
        await hub.UnsubscribeAsync(client, client.Types, []);
    }

    [Fact]
    public async Task A_source_goes_on_with_the_next_x_server()
    {
        var first = new XServer();
        var link = new DisplayLink(first.Display);
        link.Start();
        await Eventually.Is(() => link.Current, display => display is not null);
        var hub = new EventHub(TimeProvider.System);
        hub.Add(new ScreenSource(link, hub));
        var client = new EventClient();
        await hub.SubscribeAsync(client, [EventCatalogue.ScreenChange], []);
        first.Dispose();
        await Eventually.Is(() => link.Current, display => display is null);

        using var second = new XServer(800, 600, first.Display);

        Assert.Equal("screen_change {\"width\":800,\"height\":600}", Words(await client.Outbox.NextAsync()));
        await hub.UnsubscribeAsync(client, client.Types, []);
    }

    private static string Words(ReadOnlyMemory<byte>? message)
    {
        using var document = JsonDocument.Parse(message!.Value);
        var told = document.RootElement.GetProperty("event");
        return $"{told.GetProperty("type").GetString()} {told.GetProperty("data").GetRawText()}";
    }
}
