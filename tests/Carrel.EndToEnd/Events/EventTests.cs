using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;
using static Carrel.Testbed.EventSocket;

namespace Carrel.EndToEnd.Events;

/// <summary>What real programs on a real desktop do, as a client of the public socket hears of it.</summary>
public sealed class EventTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    private readonly Computer _computer = shared.Computer;

    [Theory]
    [InlineData("xfce4-terminal --disable-server", "Terminal")]
    [InlineData("mousepad", "Mousepad")]
    public async Task A_program_opens_its_window_takes_the_focus_and_closes(string command, string title)
    {
        using var socket = await SubscribedAsync("window_open", "window_focus", "window_close", "process_start", "process_stop");
        await _computer.BashAsync($"DISPLAY=:99 setsid {command} >/dev/null 2>&1 & echo $! > /root/opened");

        var opened = await socket.EventAsync("window_open", data => Text(data, "title").Contains(title, StringComparison.Ordinal));
        Assert.Matches("^0x[0-9a-f]+$", Text(opened, "window_id"));
        await socket.EventAsync("window_focus", data => Text(data, "window_id") == Text(opened, "window_id"));
        var inside = await _computer.BashAsync("DISPLAY=:99 xdotool getactivewindow");
        Assert.Equal(inside.Trim(), $"{Convert.ToUInt32(Text(opened, "window_id"), 16)}");

        await _computer.BashAsync($"DISPLAY=:99 xdotool windowclose {inside}");
        await socket.EventAsync("window_close", data => Text(data, "window_id") == Text(opened, "window_id"));
        var name = command.Split(' ')[0];
        await socket.EventAsync("process_stop", data => Text(data, "name") == name);
    }

    [Fact]
    public async Task What_is_copied_inside_comes_out_and_what_is_put_can_be_pasted()
    {
        using var socket = await SubscribedAsync("clipboard");
        await _computer.BashAsync("printf 'Grüße, 世界 🎉' | DISPLAY=:99 xclip -selection clipboard >/dev/null 2>&1");
        Assert.Equal("Grüße, 世界 🎉", Text(await socket.EventAsync("clipboard"), "content"));
        var read = Api.Expect(await shared.Api.GetAsync($"{_computer.Path}/clipboard"), HttpStatusCode.OK).Json;
        Assert.Equal(("Grüße, 世界 🎉", "text/plain"), (Text(read, "content"), Text(read, "content_type")));

        Api.Expect(await shared.Api.SendAsync(HttpMethod.Put, $"{_computer.Path}/clipboard", new { content = "from outside 🎉" }), HttpStatusCode.OK);
        Assert.Equal("from outside 🎉", Text(await socket.EventAsync("clipboard", data => Text(data, "content").Contains("outside", StringComparison.Ordinal)), "content"));
        Assert.Equal("from outside 🎉", await _computer.BashAsync("DISPLAY=:99 xclip -selection clipboard -o"));

        var tooLong = await shared.Api.SendAsync(HttpMethod.Put, $"{_computer.Path}/clipboard", new { content = new string('x', 1024 * 1024 + 1) });
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "payload_too_large"), (tooLong.Status, tooLong.Code));
    }

    [Fact]
    public async Task Files_on_the_desktop_and_where_it_was_asked_for_are_told()
    {
        using var socket = await SubscribedAsync("file_change");
        await socket.SendAsync(new { type = "subscribe", event_types = (string[])["file_change"], paths = (string[])["/srv/work"], recursive = true }, "subscribed");
        await _computer.BashAsync("mkdir -p /root/Desktop /root/Downloads; touch /root/Desktop/note.txt; echo x >> /root/Desktop/note.txt; rm /root/Desktop/note.txt; touch /root/elsewhere; mkdir -p /srv/work/a; touch /srv/work/a/b");

        foreach (var action in (string[])["created", "modified", "deleted"])
        {
            await socket.EventAsync("file_change", data => Text(data, "path") == "/root/Desktop/note.txt" && Text(data, "action") == action);
        }

        await socket.EventAsync("file_change", data =>
        {
            Assert.NotEqual("/root/elsewhere", Text(data, "path"));
            return Text(data, "path") == "/srv/work/a/b";
        });
    }

    [Fact]
    public async Task A_download_of_the_browser_is_told_when_it_is_whole()
    {
        using var socket = await SubscribedAsync("download_finished");
        await _computer.BashAsync("""
            mkdir -p /srv/site && head -c 3000000 /dev/urandom > /srv/site/data.bin
            cd /srv/site && (setsid python3 -m http.server 8765 --bind 127.0.0.1 >/dev/null 2>&1 &)
            for i in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:8765/ && break; sleep 0.05; done
            DISPLAY=:99 setsid chromium http://127.0.0.1:8765/data.bin >/root/chromium.log 2>&1 &
            """);

        var finished = await socket.EventAsync("download_finished", seconds: 60);

        Assert.Equal(("/root/Downloads/data.bin", 3_000_000), (Text(finished, "path"), finished["size"]!.GetValue<int>()));
        await _computer.BashAsync("cmp /srv/site/data.bin /root/Downloads/data.bin; killall -q chromium python3 || true");
    }

    [Fact]
    public async Task Sound_is_told_as_it_begins_and_ends()
    {
        using var socket = await SubscribedAsync("audio_stream_start", "audio_stream_stop");
        await _computer.BashAsync("(for i in 1 2 3; do head -c 96000 /dev/zero | pacat --raw --format=s16le --rate=48000 --channels=2; sleep 0.5; done) >/dev/null 2>&1 &");

        await socket.EventAsync("audio_stream_start");
        await socket.EventAsync("audio_stream_stop");
    }

    [Fact]
    public async Task Nobody_at_the_mouse_is_idle_until_somebody_is()
    {
        await _computer.DoAsync("mouse-move", new { x = 10, y = 10 });
        using var socket = await SubscribedAsync("idle", "active");

        Assert.Equal(30, (await socket.EventAsync("idle", seconds: 60))["idle_seconds"]!.GetValue<int>());
        await _computer.DoAsync("mouse-move", new { x = 20, y = 20 });
        await socket.EventAsync("active");
    }

    [Fact]
    public async Task The_catalogue_can_be_subscribed_to_as_it_stands()
    {
        var catalogue = Api.Expect(await shared.Api.GetAsync($"{_computer.Path}/events"), HttpStatusCode.OK).Json;
        var types = catalogue["event_types"]!.AsArray().Select(type => Text(type!.AsObject(), "type")).ToArray();

        // Every one of them must be known, or an error would come first.
        using var socket = await SubscribedAsync(types);
        Assert.Contains("file_change", types);
    }

    private Task<EventSocket> SubscribedAsync(params string[] types) => EventSocket.SubscribedAsync(shared.Installation, _computer, types);
}
