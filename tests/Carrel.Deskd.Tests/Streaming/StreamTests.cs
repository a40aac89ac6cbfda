using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json;
using Carrel.Deskd.Native;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Streaming;

/// <summary>Streams to an ffmpeg that listens, which is an RTMP server for one connection.</summary>
public sealed class StreamTests : IAsyncLifetime
{
    private const string Key = "live_key-Sesame#1=2";
    private readonly Desk _desk = new();
    private readonly int _port = FreePort();

    private string Film => Path.Combine(_desk.Folder, "film.flv");

    public ValueTask InitializeAsync() => _desk.InitializeAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task The_screen_arrives_at_the_target_and_the_key_is_in_no_list_of_processes()
    {
        await _desk.Shell("xsetroot -solid '#c02040'");
        using var target = await ListenAsync();

        var (status, answer) = await StartAsync();

        Assert.True(status == 200, answer.ToString());
        Assert.Equal("streaming", answer.GetProperty("status").GetString());
        var pid = answer.GetProperty("pid").GetInt32();
        var listed = await File.ReadAllTextAsync($"/proc/{pid}/cmdline", TestContext.Current.CancellationToken);
        Assert.Contains("rtmp://127.0.0.1", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("Sesame", listed + await File.ReadAllTextAsync($"/proc/{pid}/environ", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain("Sesame", (await StatusAsync()).ToString(), StringComparison.Ordinal);
        Assert.Equal(409, (await StartAsync()).Status);

        Assert.Equal(200, (await _desk.Post("/stream/stop")).Status);
        Assert.Equal("""{"status":"idle"}""", (await StatusAsync()).ToString());
        Assert.False(Directory.Exists($"/proc/{pid}"), "ffmpeg is left behind");
        await EndedAsync(target);
        var video = (await Video.ProbeAsync(_desk, Film)).GetProperty("streams")[0];
        Assert.Equal(("h264", 1280, 720), (video.GetProperty("codec_name").GetString(), video.GetProperty("width").GetInt32(), video.GetProperty("height").GetInt32()));
        var colour = await Video.ColourAsync(_desk, Film, 0.1);
        Assert.True(Video.Resembles(colour, 0xc0, 0x20, 0x40), colour);
        Assert.Equal(200, (await _desk.Post("/stream/stop")).Status);
    }

    [Fact]
    public async Task A_target_that_is_not_there_is_told_in_the_answer_and_leaves_nothing()
    {
        var (status, answer) = await StartAsync();

        Assert.Equal((422, "stream_failed"), (status, answer.GetProperty("code").GetString()));
        Assert.Contains("refused", answer.GetProperty("error").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Sesame", answer.ToString(), StringComparison.Ordinal);
        Assert.Equal("idle", (await StatusAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_ffmpeg_that_is_killed_ends_the_stream_and_the_status_says_so()
    {
        using var target = await ListenAsync();
        var (_, answer) = await StartAsync();

        _ = Libc.kill(answer.GetProperty("pid").GetInt32(), Libc.SIGKILL);

        var status = await UntilAsync(s => s.GetProperty("status").GetString() == "terminated");
        Assert.Contains("signal 9", status.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.True(status.TryGetProperty("ended_at", out _) && !status.TryGetProperty("pid", out _), status.ToString());

        // A new one may begin where one has ended.
        using var another = await ListenAsync();
        Assert.Equal(200, (await StartAsync()).Status);
    }

    [Fact]
    public async Task A_target_that_goes_away_and_comes_back_is_found_again()
    {
        var target = await ListenAsync();
        await StartAsync();
        target.Dispose();
        var broken = await UntilAsync(s => s.GetProperty("reconnecting").GetBoolean());
        Assert.Equal("streaming", broken.GetProperty("status").GetString());
        Assert.NotEqual("", broken.GetProperty("reason").GetString());

        using var again = await ListenAsync();

        var status = await UntilAsync(s => !s.GetProperty("reconnecting").GetBoolean());
        Assert.Equal(("streaming", 1), (status.GetProperty("status").GetString(), status.GetProperty("reconnects").GetInt32()));
    }

    [Fact]
    public async Task A_target_that_stays_away_ends_the_stream()
    {
        var target = await ListenAsync();
        await StartAsync(("reconnect_seconds", 1));
        target.Dispose();

        var status = await UntilAsync(s => s.GetProperty("status").GetString() == "terminated");

        Assert.Contains("could not be reached again within 1 s", status.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_between_two_attempts_is_one_too()
    {
        var target = await ListenAsync();
        await StartAsync();
        target.Dispose();
        await UntilAsync(s => s.GetProperty("reconnecting").GetBoolean());

        Assert.Equal(200, (await _desk.Post("/stream/stop")).Status);

        Assert.Equal("idle", (await StatusAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Over_TLS_a_target_must_prove_who_it_is()
    {
        var pem = Path.Combine(_desk.Folder, "pem");
        await _desk.Shell($"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {pem}.key -out {pem}.crt -days 2 2> /dev/null");
        using var target = _desk.Start($"exec openssl s_server -quiet -accept 127.0.0.1:{_port} -key {pem}.key -cert {pem}.crt");
        await ListensAsync();

        var (status, answer) = await _desk.Post("/stream/start", ("name", "tls"), ("url", $"rtmps://127.0.0.1:{_port}/live"), ("stream_key", Key), ("silent", true));

        Assert.Equal(422, status);
        Assert.Contains("certificate", answer.GetProperty("error").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("http://127.0.0.1/live")]
    [InlineData("rtmp://127.0.0.1")]
    [InlineData("rtmp://user:secret@127.0.0.1/live")]
    [InlineData("rtmp://127.0.0.1/live -f mp4 /etc/x")]
    public async Task What_is_no_address_of_an_application_is_refused(string url)
    {
        var (status, answer) = await _desk.Post("/stream/start", ("name", "x"), ("url", url), ("stream_key", Key));

        Assert.Equal((400, "url"), (status, answer.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Picture_size_and_rate_are_those_asked_for()
    {
        using var target = await ListenAsync();

        var (status, answer) = await StartAsync(("width", 640), ("height", 360), ("fps", 5), ("bitrate_kbps", 300));

        Assert.True(status == 200, answer.ToString());
        await _desk.Post("/stream/stop");
        await EndedAsync(target);
        var video = (await Video.ProbeAsync(_desk, Film)).GetProperty("streams")[0];
        Assert.Equal((640, 360, "5/1"), (video.GetProperty("width").GetInt32(), video.GetProperty("height").GetInt32(), video.GetProperty("r_frame_rate").GetString()));
    }

    private Task<(int Status, JsonElement Answer)> StartAsync(params (string, object)[] more) =>
        _desk.Post("/stream/start", [("name", "test"), ("url", $"rtmp://127.0.0.1:{_port}/live"), ("stream_key", Key), ("silent", true), .. more]);

    private async Task<JsonElement> StatusAsync() =>
        JsonDocument.Parse(await _desk.Host.GetStringAsync("/stream/status", TestContext.Current.CancellationToken)).RootElement;

    private async Task<JsonElement> UntilAsync(Func<JsonElement, bool> wanted)
    {
        var seen = await Eventually.Is(() => StatusAsync().GetAwaiter().GetResult(), wanted, seconds: 40);
        Assert.True(wanted(seen), seen.ToString());
        return seen;
    }

    private async Task<RunningProgram> ListenAsync()
    {
        var target = _desk.Start($"exec ffmpeg -nostdin -v error -listen 1 -f flv -i rtmp://127.0.0.1:{_port}/live -c copy -y {Film}");
        await ListensAsync();
        return target;
    }

    private async Task ListensAsync() => Assert.True(
        await Eventually.Is(() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(l => l.Port == _port), there => there),
        "the target does not listen");

    /// <summary>The target writes the rest and ends when its one connection does.</summary>
    private static async Task EndedAsync(RunningProgram target) =>
        Assert.True(await Eventually.Is(() => target.HasEnded, ended => ended), "the target did not notice the end");

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
