using System.Net;
using System.Text.Json.Nodes;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Streaming;

public sealed class StreamTests(SharedInstallation shared)
{
    private const string Key = "live-Sesame_1234";
    private const string Tone = "(setsid ffmpeg -v error -re -f lavfi -i sine=frequency=1000:duration=600 -f pulse tone > /dev/null 2>&1 &)";

    [Fact]
    public async Task The_screen_and_its_sound_arrive_and_outlive_the_server()
    {
        await using var installation = await Installation.StartNewAsync();
        await using var target = await RtmpServer.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();
        await computer.BashAsync(Tone);
        await ConnectAsync(installation.Api, target, "main");

        var started = await computer.DoAsync("stream/start", new { connection_name = "main" });

        Assert.Equal("streaming", started["status"]!.GetValue<string>());
        var processes = await computer.BashAsync("ps axww -o pid,args");
        Assert.Contains($"{started["pid"]} ", processes, StringComparison.Ordinal);
        Assert.DoesNotContain("Sesame", processes + await computer.BashAsync("cat /proc/[0-9]*/environ | tr '\\0' '\\n'"), StringComparison.Ordinal);
        Assert.Equal("already_streaming", (await installation.Api.PostAsync($"{computer.Path}/stream/start", new { connection_name = "main" })).Code);
        await installation.StopAsync();
        await installation.StartAsync();
        var after = await StatusAsync(installation.Api, computer);
        Assert.Equal(started["pid"]!.GetValue<int>(), after["pid"]!.GetValue<int>());
        Assert.Equal(started["start_time"]!.GetValue<string>(), after["start_time"]!.GetValue<string>());
        await new Computer(installation.Api, computer.Created).DoAsync("stream/stop");
        Assert.Equal("""{"status":"idle"}""", (await StatusAsync(installation.Api, computer)).ToJsonString());

        var film = Assert.Single(target.Films);
        var probe = await Film.ProbeAsync(film);
        var video = Film.Stream(probe, "video");
        Assert.Equal(("h264", 1280, 720), (video["codec_name"]!.GetValue<string>(), video["width"]!.GetValue<int>(), video["height"]!.GetValue<int>()));
        Assert.Equal("aac", Film.Stream(probe, "audio")["codec_name"]!.GetValue<string>());
        Assert.InRange(await Film.LoudestAsync(film), -30, 0);
        Assert.DoesNotContain("Sesame", installation.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_is_restarted_is_found_again_and_a_killed_ffmpeg_is_told()
    {
        await using var target = await RtmpServer.StartNewAsync();
        var computer = await shared.Api.NewComputerAsync();
        await ConnectAsync(shared.Api, target, "restarted");
        await computer.DoAsync("stream/start", new { connection_name = "restarted" });

        await target.KillAsync();
        await UntilAsync(computer, status => status["reconnecting"]?.GetValue<bool>() == true);
        await target.StartAsync();
        var back = await UntilAsync(computer, status => status["reconnecting"]?.GetValue<bool>() == false);

        Assert.Equal(("streaming", 1), (back["status"]!.GetValue<string>(), back["reconnects"]!.GetValue<int>()));
        await Computer.UntilAsync(() => Task.FromResult(target.Films.Count == 2), "a second film");
        await computer.BashAsync("pkill -KILL -x ffmpeg");
        var ended = await UntilAsync(computer, status => status["status"]!.GetValue<string>() == "terminated");
        Assert.Contains("signal 9", ended["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotNull(ended["ended_at"]);
        Assert.Equal("h264", Film.Stream(await Film.ProbeAsync(target.Films[1]), "video")["codec_name"]!.GetValue<string>());
        await computer.DoAsync("restart");
        Assert.Equal("idle", (await StatusAsync(shared.Api, computer))["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_target_that_takes_nothing_is_told_at_once()
    {
        await using var target = await RtmpServer.StartNewAsync();
        var computer = await shared.Api.NewComputerAsync();
        await ConnectAsync(shared.Api, target, "away");
        await target.KillAsync();

        var refused = await shared.Api.PostAsync($"{computer.Path}/stream/start", new { connection_name = "away" });

        Assert.Equal((HttpStatusCode.UnprocessableEntity, "stream_failed"), (refused.Status, refused.Code));
        Assert.Equal("idle", (await StatusAsync(shared.Api, computer))["status"]!.GetValue<string>());
        Assert.Equal("0\n", await computer.BashAsync("pgrep -cx ffmpeg || true"));
    }

    private static async Task ConnectAsync(Api api, RtmpServer target, string name)
    {
        var made = Api.Expect(await api.PostAsync("/api/stream/connections", new { name, url = target.Url, stream_key = Key }), HttpStatusCode.Created);
        Assert.DoesNotContain("Sesame", made.Json.ToJsonString(), StringComparison.Ordinal);
    }

    private static async Task<JsonObject> StatusAsync(Api api, Computer computer) =>
        Api.Expect(await api.GetAsync($"{computer.Path}/stream/status"), HttpStatusCode.OK).Json;

    private async Task<JsonObject> UntilAsync(Computer computer, Func<JsonObject, bool> wanted)
    {
        JsonObject last = [];
        await Computer.UntilAsync(async () => wanted(last = await StatusAsync(shared.Api, computer)), "the stream's status", 60);
        return last;
    }
}
