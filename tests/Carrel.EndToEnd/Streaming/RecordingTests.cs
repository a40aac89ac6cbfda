using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Streaming;

public sealed class RecordingTests(SharedInstallation shared)
{
    private const string RedWindow = "(setsid ffplay -v error -noborder -left 0 -top 0 -x 400 -y 300 -f lavfi -i color=c=red:s=400x300 > /dev/null 2>&1 &)";
    private readonly Api _api = shared.Api;

    [Fact]
    public async Task A_run_can_be_watched_afterwards()
    {
        var computer = await _api.NewComputerAsync();
        var recording = Api.Expect(await _api.PostAsync($"{computer.Path}/recordings", new { name = "the run" }), HttpStatusCode.Created);
        var path = $"{computer.Path}/recordings/{recording.Text("id")}";
        await computer.DoAsync("wait", new { seconds = 1 });
        await computer.DoAsync("click", new { x = 1000, y = 500 });
        await computer.BashAsync(RedWindow);
        await Computer.UntilAsync(async () => (await computer.ScreenshotAsync())[200, 150] is { R: > 200, G: < 60, B: < 60 }, "a red window");
        await computer.DoAsync("key", new { key = "shift" });
        await computer.DoAsync("wait", new { seconds = 1 });
        await computer.DoAsync("key", new { key = "ctrl" });

        var finished = Api.Expect(await _api.PostAsync($"{path}/stop"), HttpStatusCode.OK).Json;
        Assert.Equal(("finished", 6), (finished["status"]!.GetValue<string>(), finished["action_count"]!.GetValue<int>()));
        await computer.DoAsync("stop");

        using var film = await DownloadedFilm.FetchAsync(_api, path);
        Assert.Equal(finished["size"]!.GetValue<long>(), new FileInfo(film.Path).Length);
        var probe = await Film.ProbeAsync(film.Path);
        var chapters = probe["chapters"]!.AsArray().Select(chapter => (Title: chapter!["tags"]!["title"]!.GetValue<string>(), Start: Film.Seconds(chapter["start_time"]))).ToList();
        Assert.Equal(["the run", "wait 1 s", "click 1000,500 left", $"bash {RedWindow[..80]}…", "key shift", "wait 1 s", "key ctrl"], chapters.Select(chapter => chapter.Title));
        Assert.Equal("mov_text", Film.Stream(probe, "subtitle")["codec_name"]!.GetValue<string>());
        Assert.Contains("key shift", (await HostProcess.RunAsync("ffmpeg", "-v", "error", "-nostdin", "-i", film.Path, "-map", "0:s", "-f", "srt", "-")).Output, StringComparison.Ordinal);
        var length = Film.Seconds(probe["format"]!["duration"]);
        Assert.InRange(length, chapters[^2].Start + 0.9, chapters[^2].Start + 20);
        Assert.Equal(finished["duration_seconds"]!.GetValue<double>(), length, 0.5);
        Assert.False(await Film.IsRedAsync(film.Path, chapters[2].Start, 200, 150), "red before there was a window");
        Assert.True(await Film.IsRedAsync(film.Path, chapters[4].Start, 200, 150), "not red when the window was seen");
        Assert.Equal("aac", Film.Stream(probe, "audio")["codec_name"]!.GetValue<string>());

        using var part = new HttpRequestMessage(HttpMethod.Get, $"{path}/download") { Headers = { Range = new RangeHeaderValue(4, 7) } };
        using var ranged = await _api.Http.SendAsync(part, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.PartialContent, "ftyp"), (ranged.StatusCode, await ranged.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        using var anonymous = new HttpClient();
        Assert.Equal(finished["size"]!.GetValue<long>(), (await anonymous.GetByteArrayAsync(finished["download_url"]!.GetValue<string>(), TestContext.Current.CancellationToken)).LongLength);
        Api.Expect(await _api.DeleteAsync(path), HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync(path)).Status);
    }

    [Fact]
    public async Task A_computer_that_is_stopped_meanwhile_has_its_recording_all_the_same()
    {
        var computer = await _api.NewComputerAsync();
        var path = $"{computer.Path}/recordings/{(await _api.PostAsync($"{computer.Path}/recordings")).Text("id")}";
        await computer.DoAsync("wait", new { seconds = 2 });

        await computer.DoAsync("stop");

        await Computer.UntilAsync(async () => (await _api.GetAsync(path)).Text("status") == "finished", "it is finished");
        using var film = await DownloadedFilm.FetchAsync(_api, path);
        Assert.InRange(Film.Seconds((await Film.ProbeAsync(film.Path))["format"]!["duration"]), 1.5, 60);
    }

    [Fact]
    public async Task What_a_machine_that_died_has_recorded_is_finished_at_the_next_start()
    {
        var computer = await _api.NewComputerAsync();
        var path = $"{computer.Path}/recordings/{(await _api.PostAsync($"{computer.Path}/recordings")).Text("id")}";
        await computer.DoAsync("click", new { x = 1000, y = 500 });
        await computer.DoAsync("wait", new { seconds = 5 });
        await _api.PostAsync($"{computer.Path}/bash", new { command = "pkill -KILL -x ffmpeg; kill -TERM 1; sleep 5", timeout = 6 });
        await Computer.UntilAsync(async () => await computer.StatusAsync() is "stopped", "the end is noticed");

        await computer.DoAsync("start");

        JsonObject last = [];
        await Computer.UntilAsync(async () => (last = (await _api.GetAsync(path)).Json)["status"]!.GetValue<string>() is "finished" or "failed", "it is finished", 60);
        Assert.True(last["status"]!.GetValue<string>() == "finished", last.ToJsonString());
        Assert.NotNull(last["reason"]);
        using var film = await DownloadedFilm.FetchAsync(_api, path);
        var probe = await Film.ProbeAsync(film.Path);
        Assert.Contains(probe["chapters"]!.AsArray(), chapter => chapter!["tags"]!["title"]!.GetValue<string>() == "click 1000,500 left");
        Assert.InRange(Film.Seconds(probe["format"]!["duration"]), 2, 60);
        Assert.Equal("", await computer.BashAsync("ls /var/lib/carrel/recordings"));
    }

    [Fact]
    public async Task A_deskd_that_is_killed_leaves_no_ffmpeg_and_the_recording_is_finished_with_what_there_is()
    {
        await using var target = await RtmpServer.StartNewAsync();
        var computer = await _api.NewComputerAsync();
        Api.Expect(await _api.PostAsync("/api/stream/connections", new { name = "orphan", url = target.Url }), HttpStatusCode.Created);
        var path = $"{computer.Path}/recordings/{(await _api.PostAsync($"{computer.Path}/recordings")).Text("id")}";
        await computer.DoAsync("stream/start", new { connection_name = "orphan" });
        await computer.DoAsync("wait", new { seconds = 4 });

        // Not by its own hand, or this would be an answer that is lost.
        await computer.BashAsync("(setsid sh -c 'sleep 0.5; pkill -KILL -x carrel-deskd' > /dev/null 2>&1 &)");

        JsonObject last = [];
        await Computer.UntilAsync(async () => (last = (await _api.GetAsync(path)).Json)["status"]!.GetValue<string>() is "finished" or "failed", "it is finished", 60);
        Assert.True(last["status"]!.GetValue<string>() == "finished", last.ToJsonString());
        Assert.Contains("ended", last["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.InRange(last["duration_seconds"]!.GetValue<double>(), 2, 60);
        Assert.Equal("idle", (await _api.GetAsync($"{computer.Path}/stream/status")).Text("status"));
        Assert.Equal("0\n", await computer.BashAsync("pgrep -cx ffmpeg || true"));
    }

    private sealed class DownloadedFilm(string path) : IDisposable
    {
        public string Path => path;

        public static async Task<DownloadedFilm> FetchAsync(Api api, string recording)
        {
            var file = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"carrel-{System.IO.Path.GetFileName(recording)}.mp4");
            await File.WriteAllBytesAsync(file, await api.BytesAsync($"{recording}/download"));
            return new DownloadedFilm(file);
        }

        public void Dispose() => File.Delete(path);
    }
}
