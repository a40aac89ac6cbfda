using System.Text.Json;
using Carrel.Deskd.Native;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Recording;

public sealed class RecordingTests : IAsyncLifetime
{
    private readonly Desk _desk = new();

    public ValueTask InitializeAsync() => _desk.InitializeAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task A_recording_shows_what_was_there_with_its_actions_as_chapters_and_subtitles()
    {
        await _desk.Shell("xsetroot -solid '#c02040'");
        var id = await BeginAsync();
        await ElapsedAsync(id, 1500);
        await _desk.Shell("xsetroot -solid '#2040c0'");
        var turned = await ElapsedAsync(id, 0);
        await ElapsedAsync(id, turned + 2000);
        Assert.Equal("""{"status":"ended"}""", (await _desk.Post($"/recordings/{id}/stop")).Answer.ToString());

        var (status, finished) = await _desk.Post($"/recordings/{id}/finish", ("title", "A; test=#1"), ("actions", $"{turned}\tkey a=b; {{<x>}} \\ #ü\n{turned + 500}\tclick 1,2 left\n999999\tlater\nnonsense"));

        Assert.True(status == 200, finished.ToString());
        Assert.False(finished.TryGetProperty("problem", out _), finished.ToString());
        var film = await FetchAsync(id);
        Assert.Equal(finished.GetProperty("size").GetInt64(), new FileInfo(film).Length);
        var probe = await Video.ProbeAsync(_desk, film);
        Assert.Equal(
            ["A; test=#1", "key a=b; {<x>} \\ #ü", "click 1,2 left"],
            probe.GetProperty("chapters").EnumerateArray().Select(chapter => chapter.GetProperty("tags").GetProperty("title").GetString()!));
        Assert.Contains(probe.GetProperty("streams").EnumerateArray(), stream => stream.GetProperty("codec_name").GetString() == "mov_text");
        var length = double.Parse(probe.GetProperty("format").GetProperty("duration").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(length, (turned + 1500) / 1000.0, 60);
        Assert.Equal(finished.GetProperty("duration_ms").GetInt64() / 1000.0, length, 0.3);
        var (before, after) = (await Video.ColourAsync(_desk, film, (turned / 1000.0) - 1), await Video.ColourAsync(_desk, film, (turned / 1000.0) + 0.5));
        Assert.True(Video.Resembles(before, 0xc0, 0x20, 0x40) && Video.Resembles(after, 0x20, 0x40, 0xc0), $"{before} {after}");

        Assert.Equal(200, (int)(await _desk.Host.DeleteAsync($"/recordings/{id}", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_desk.Folder, "state", "recordings")));
    }

    [Fact]
    public async Task What_was_done_just_before_the_end_belongs_to_it()
    {
        var id = await BeginAsync();
        await ElapsedAsync(id, 1000);
        var done = await ElapsedAsync(id, 0);
        await _desk.Post($"/recordings/{id}/stop");

        // The later one is where the film may not reach: its last pictures are older than its end.
        var (status, finished) = await _desk.Post($"/recordings/{id}/finish", ("title", "x"), ("actions", $"{done}\tclick\n{done + 900}\ttype\n{done + 90_000}\tlater"));

        Assert.True(status == 200, finished.ToString());
        var probe = await Video.ProbeAsync(_desk, await FetchAsync(id));
        Assert.Equal(
            ["x", "click", "type"],
            probe.GetProperty("chapters").EnumerateArray().Select(chapter => chapter.GetProperty("tags").GetProperty("title").GetString()!));
    }

    [Fact]
    public async Task There_is_one_at_a_time()
    {
        var id = await BeginAsync();

        Assert.Equal(409, (await BeginAsync(Guid.CreateVersion7())).Status);
        Assert.Equal(409, (await _desk.Post($"/recordings/{id}/finish", ("title", "x"))).Status);
        Assert.Equal(404, (await _desk.Post($"/recordings/{Guid.CreateVersion7()}/stop")).Status);
        await _desk.Post($"/recordings/{id}/stop");
        Assert.Equal(200, (await BeginAsync(Guid.CreateVersion7())).Status);
    }

    [Fact]
    public async Task What_a_killed_ffmpeg_has_written_can_be_finished()
    {
        var id = await BeginAsync();
        await ElapsedAsync(id, 5000);
        var pids = await Video.OutputAsync(_desk, $"pgrep -f 'ffmpeg.*{id}'");

        _ = Libc.kill(int.Parse(pids.Trim().Split('\n')[0], null), Libc.SIGKILL);

        var ended = await _desk.Host.GetStringAsync($"/recordings/{id}/ended", TestContext.Current.CancellationToken);
        Assert.Contains("signal 9", ended, StringComparison.Ordinal);
        var (status, finished) = await _desk.Post($"/recordings/{id}/finish", ("title", "cut"), ("actions", "100\twait"));
        Assert.True(status == 200, finished.ToString());
        Assert.InRange(finished.GetProperty("duration_ms").GetInt64(), 1000, 30_000);
        Assert.Equal("h264", (await Video.ProbeAsync(_desk, await FetchAsync(id))).GetProperty("streams")[0].GetProperty("codec_name").GetString());
    }

    [Fact]
    public async Task It_ends_by_itself_at_its_longest_time()
    {
        var id = Guid.CreateVersion7();
        Assert.Equal(200, (await BeginAsync(id, seconds: 2)).Status);

        var ended = await _desk.Host.GetStringAsync($"/recordings/{id}/ended", TestContext.Current.CancellationToken);

        Assert.Contains("longest time of 2 s", ended, StringComparison.Ordinal);
        Assert.Equal(200, (await _desk.Post($"/recordings/{id}/finish", ("title", "short"))).Status);
    }

    [Fact]
    public async Task It_ends_by_itself_at_its_largest_size()
    {
        using var noise = _desk.Start("exec ffplay -v error -noborder -left 0 -top 0 -f lavfi -i testsrc2=s=1280x720:r=10,noise=alls=90:allf=t");
        var id = Guid.CreateVersion7();
        Assert.Equal(200, (await _desk.Post("/recordings", ("id", id), ("silent", true), ("max_seconds", 60), ("max_bytes", 1 << 20))).Status);

        var ended = await _desk.Host.GetStringAsync($"/recordings/{id}/ended", TestContext.Current.CancellationToken);

        Assert.Contains("largest size of 1048576", ended, StringComparison.Ordinal);
        Assert.Equal(200, (await _desk.Post($"/recordings/{id}/finish", ("title", "large"))).Status);
        Assert.InRange(new FileInfo(await FetchAsync(id.ToString())).Length, 500_000, 8 << 20);
    }

    [Fact]
    public async Task A_thousand_actions_are_a_thousand_chapters()
    {
        var id = await BeginAsync();
        await ElapsedAsync(id, 3000);
        await _desk.Post($"/recordings/{id}/stop");

        // Some of them in the same millisecond.
        var (status, finished) = await _desk.Post($"/recordings/{id}/finish", ("title", "busy"), ("actions", string.Join('\n', Enumerable.Range(0, 1000).Select(i => $"{100 + (i / 4 * 2)}\tclick {i}"))));

        Assert.True(status == 200 && !finished.TryGetProperty("problem", out _), finished.ToString());
        Assert.Equal(1000, finished.GetProperty("actions").GetInt32());
        var chapters = (await Video.ProbeAsync(_desk, await FetchAsync(id))).GetProperty("chapters").EnumerateArray().Select(chapter => chapter.GetProperty("tags").GetProperty("title").GetString()!).ToList();
        Assert.Equal(["busy", .. Enumerable.Range(0, 1000).Select(i => $"click {i}")], chapters);
    }

    [Fact]
    public async Task What_an_earlier_deskd_left_can_be_finished_and_asked_for_again()
    {
        var id = await BeginAsync();
        await ElapsedAsync(id, 3000);
        await _desk.Post($"/recordings/{id}/stop");
        var (recordings, left) = (Path.Combine(_desk.Folder, "state", "recordings"), Guid.CreateVersion7());
        Directory.Move(Path.Combine(recordings, id), Path.Combine(recordings, left.ToString()));

        Assert.Contains("the computer ended", await _desk.Host.GetStringAsync($"/recordings/{left}", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        for (var time = 0; time < 2; time++)
        {
            var (status, finished) = await _desk.Post($"/recordings/{left}/finish", ("title", "left"), ("actions", "500\tclick 1,2"));
            Assert.True(status == 200, finished.ToString());
        }

        Assert.Equal(2, (await Video.ProbeAsync(_desk, await FetchAsync(left.ToString()))).GetProperty("chapters").GetArrayLength());
    }

    [Fact]
    public async Task What_holds_no_picture_cannot_be_finished()
    {
        var id = Guid.CreateVersion7();
        var folder = Directory.CreateDirectory(Path.Combine(_desk.Folder, "state", "recordings", id.ToString()));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "raw.mp4"), "no film", TestContext.Current.CancellationToken);

        var (status, answer) = await _desk.Post($"/recordings/{id}/finish", ("title", "x"));

        Assert.Equal((422, "recording_failed"), (status, answer.GetProperty("code").GetString()));
    }

    private Task<(int Status, JsonElement Answer)> BeginAsync(Guid id, int seconds = 60) =>
        _desk.Post("/recordings", ("id", id), ("silent", true), ("max_seconds", seconds), ("max_bytes", 100_000_000));

    private async Task<string> BeginAsync()
    {
        var id = Guid.CreateVersion7();
        var (status, answer) = await BeginAsync(id);
        Assert.True(status == 200 && answer.GetProperty("status").GetString() == "recording", answer.ToString());
        return id.ToString();
    }

    /// <summary>Milliseconds since its first picture, once at least so many have passed.</summary>
    private async Task<long> ElapsedAsync(string id, long least) => (long)await Eventually.Is(
        () => JsonDocument.Parse(_desk.Host.GetStringAsync($"/recordings/{id}").GetAwaiter().GetResult()).RootElement.GetProperty("elapsed_ms").GetDouble(),
        elapsed => elapsed >= least);

    private async Task<string> FetchAsync(string id)
    {
        var file = Path.Combine(_desk.Folder, $"{id}.mp4");
        await File.WriteAllBytesAsync(file, await _desk.Host.GetByteArrayAsync($"/recordings/{id}/file", TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        return file;
    }
}
