using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Actions;

/// <summary>Each action is checked by what a real program inside saw of it.</summary>
public sealed class ActionTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    private readonly Computer _computer = shared.Computer;
    private readonly Api _api = shared.Api;

    [Fact]
    public async Task What_is_typed_arrives_in_a_terminal_as_it_was_written()
    {
        const string Text = "Grüße, мир, 世界, こんにちは, 🎉🚀 and \"quotes\" $HOME `x` \\ ~^| done";
        await OpenTerminalAsync("typed", "cat > /root/typed.txt");

        await _computer.DoAsync("type", new { text = Text + "\n" });
        await _computer.DoAsync("key", new { key = "ctrl+d" });

        await Computer.UntilAsync(async () => await _computer.BashAsync("cat /root/typed.txt 2>/dev/null || true") == Text + "\n", "the text is in the file");
    }

    [Fact]
    public async Task Clicks_and_drags_reach_the_window_under_them()
    {
        await _computer.BashAsync("DISPLAY=:99 setsid xev -geometry 300x200+600+200 > /root/xev.log 2>&1 & sleep 0.1; for i in $(seq 100); do DISPLAY=:99 xdotool search --name 'Event Tester' && exit 0; sleep 0.1; done; exit 1");

        await _computer.DoAsync("click", new { x = 700, y = 300, button = "right" });
        await _computer.DoAsync("click", new { x = 710, y = 310, @double = true });
        await _computer.DoAsync("drag", new { start_x = 650, start_y = 260, end_x = 850, end_y = 360, duration = 0.3 });

        await Computer.UntilAsync(async () => await LogCountAsync("ButtonRelease") >= 4, "four releases");
        var log = await _computer.BashAsync("cat /root/xev.log");
        Assert.Contains("root:(700,300)", log, StringComparison.Ordinal);
        Assert.Contains("button 3", log, StringComparison.Ordinal);
        Assert.Equal(2, await LogCountAsync("ButtonPress", "(710,310)"));
        Assert.True(await LogCountAsync("MotionNotify") > 5, "a drag goes through points in between");
        Assert.Contains("root:(850,360)", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Act_and_see_answers_with_the_settled_picture()
    {
        // `sh -c read` keeps the window; the colour is what the picture must show.
        var answer = await _api.PostAsync(
            $"{_computer.Path}/bash?screenshot=after&response_format=base64&format=png",
            new { command = "DISPLAY=:99 setsid xfce4-terminal --disable-server --hide-menubar --hide-scrollbar --color-bg='#123456' --geometry=60x20+50+50 -x sh -c 'read x' > /dev/null 2>&1 & until DISPLAY=:99 xdotool search --onlyvisible --class xfce4-terminal; do sleep 0.05; done" });

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.True(answer.Json["settle"]!["settled"]!.GetValue<bool>(), answer.Json["settle"]!.ToJsonString());
        var picture = Picture.FromPng(Convert.FromBase64String(answer.Json["screenshot"]!["image"]!.GetValue<string>()));
        Assert.True(picture.Count((0x12, 0x34, 0x56)) > 50_000, "the terminal's background is on the picture");
    }

    [Fact]
    public async Task A_screenshot_link_opens_without_a_key()
    {
        var answer = await _api.GetAsync($"{_computer.Path}/screenshot");

        using var stranger = new HttpClient();
        var link = answer.Text("image");
        Assert.StartsWith("http://", link, StringComparison.Ordinal);
        Assert.Equal(1280, Picture.FromPng(await stranger.GetByteArrayAsync(link)).Width);
        using var forged = await stranger.GetAsync(link[..^2] + (link.EndsWith("00", StringComparison.Ordinal) ? "11" : "00"));
        Assert.False(forged.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("jpeg", 0xFF, 0xD8)]
    [InlineData("webp", (int)'R', (int)'I')]
    public async Task Pictures_come_in_other_formats(string format, int first, int second)
    {
        var bytes = await _api.BytesAsync($"{_computer.Path}/screenshot?response_format=binary&format={format}&quality=80&scale=0.5");

        Assert.Equal((first, second), (bytes[0], bytes[1]));
    }

    [Fact]
    public async Task Bash_tells_the_truth_about_what_ran()
    {
        Assert.Equal(3, (await _computer.DoAsync("bash", new { command = "echo out; echo err >&2; exit 3" }))["exit_code"]!.GetValue<int>());
        var killed = await _computer.DoAsync("bash", new { command = "kill -9 $$" });
        Assert.Equal(137, killed["exit_code"]!.GetValue<int>());
        var late = await _computer.DoAsync("bash", new { command = "sleep 60 & sleep 60", timeout = 1 });
        Assert.Equal(124, late["exit_code"]!.GetValue<int>());
        Assert.True(late["timed_out"]!.GetValue<bool>());
        var large = await _computer.DoAsync("bash", new { command = "head -c 3000000 /dev/zero | tr '\\0' x" });
        Assert.True(large["truncated"]!.GetValue<bool>());
        Assert.InRange(large["output"]!.GetValue<string>().Length, 1_000_000, 1_100_000);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        await _computer.DoAsync("bash", new { command = "sleep 30 & echo started" });
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "a background child does not hold the request");
    }

    [Fact]
    public async Task Exec_runs_python_and_reports_its_errors()
    {
        Assert.Equal("42\n", (await _computer.DoAsync("exec", new { code = "print(6*7)" }))["output"]!.GetValue<string>());
        var failed = await _computer.DoAsync("exec", new { code = "1/0" });
        Assert.False(failed["success"]!.GetValue<bool>());
        Assert.Equal("ZeroDivisionError", failed["error_type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("click", """{"x":-1,"y":5}""", "x")]
    [InlineData("click", """{"x":5}""", "y")]
    [InlineData("click", """{"x":"5","y":5}""", "x")]
    [InlineData("click", """{"x":5,"y":720}""", "y")]
    [InlineData("key", """{"key":"NoSuchKey"}""", "NoSuchKey")]
    [InlineData("wait", """{"seconds":61}""", "seconds")]
    [InlineData("scroll", """{"direction":"sideways"}""", "direction")]
    [InlineData("type", """{"text":7}""", "text")]
    [InlineData("bash", """{}""", "command")]
    public async Task Wrong_input_is_refused_and_named(string action, string body, string named)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await _api.Http.PostAsync(new Uri($"{_computer.Path}/{action}", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var error = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Contains(named, error["error"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotNull(error["request_id"]);
    }

    private async Task OpenTerminalAsync(string title, string command)
    {
        await _computer.BashAsync(
            $"DISPLAY=:99 setsid xfce4-terminal --disable-server --title={title} -x sh -c '{command}' > /dev/null 2>&1 & "
            + $"for i in $(seq 200); do w=$(DISPLAY=:99 xdotool search --onlyvisible --name '^{title}$') && DISPLAY=:99 xdotool windowactivate --sync $w && exit 0; sleep 0.05; done; exit 1");
        await _computer.DoAsync("wait?settle=true", new { seconds = 0 });
    }

    private async Task<int> LogCountAsync(params string[] words)
    {
        // xev writes an event over several lines, parted by empty ones.
        var log = await _computer.BashAsync("cat /root/xev.log");
        return log.Split("\n\n").Count(entry => words.All(word => entry.Contains(word, StringComparison.Ordinal)));
    }
}
