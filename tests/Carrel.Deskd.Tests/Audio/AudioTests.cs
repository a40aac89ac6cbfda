using System.Runtime.InteropServices;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Audio;

[Collection("sound")]
public sealed class AudioTests : IAsyncLifetime
{
    private readonly SoundServer _sound = new();
    private readonly Desk _desk;

    public AudioTests() => _desk = new Desk { PulseSocket = _sound.Socket };

    public async ValueTask InitializeAsync()
    {
        await _desk.InitializeAsync();
        await _sound.AnswersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _desk.DisposeAsync();
        _sound.Dispose();
    }

    [Theory]
    [InlineData("", 24_000, 1)]
    [InlineData("?sample_rate=48000&channels=2", 48_000, 2)]
    [InlineData("?sample_rate=8000", 8000, 1)]
    [InlineData("?sample_rate=44100&channels=2", 44_100, 2)]
    [InlineData("?sample_rate=11025&channels=1", 11_025, 1)]
    public async Task A_tone_that_plays_is_heard_at_the_rate_and_channels_asked_for(string query, int rate, int channels)
    {
        using var listener = await Client.ConnectAsync(_desk, $"/audio{query}");
        Assert.Equal($$"""{"type":"started","sample_rate":{{rate}},"channels":{{channels}}}""", (await listener.ReceiveAsync())!.Value.Text);

        using var player = _sound.Play(_sound.Tone(1000, 20));

        var heard = await HearAsync(listener, rate, channels, 0.5);
        foreach (var channel in Enumerable.Range(0, channels))
        {
            var samples = heard.Where((_, n) => n % channels == channel).ToArray();
            Assert.InRange(Tone.Frequency(samples, rate), 990, 1010);
            Assert.InRange(samples.Max(), (short)8000, (short)12_000);
        }
    }

    [Fact]
    public async Task Left_and_right_keep_their_places()
    {
        using var listener = await Client.ConnectAsync(_desk, "/audio?channels=2");
        await listener.ReceiveAsync();

        using var player = _sound.Play(_sound.Tone(1000, 20, left: true, right: false));

        var heard = await HearAsync(listener, 24_000, 2, 0.3);
        Assert.True(heard.Where((_, n) => n % 2 == 0).Max(Math.Abs) > 8000);
        Assert.True(heard.Where((_, n) => n % 2 == 1).Max(s => Math.Abs((int)s)) < 100);
    }

    [Fact]
    public async Task Silence_comes_in_frames_of_20_ms_in_its_own_time()
    {
        using var listener = await Client.ConnectAsync(_desk, "/audio");
        await listener.ReceiveAsync();
        var started = TimeProvider.System.GetTimestamp();

        var bytes = 0;
        while (bytes < 48_000)
        {
            var frame = (await listener.ReceiveAsync())!.Value.Bytes!;
            Assert.Equal(0, frame.Length % 960);
            Assert.All(frame, sample => Assert.Equal(0, sample));
            bytes += frame.Length;
        }

        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.8, 5);
    }

    [Fact]
    public async Task Stop_ends_it_and_lets_go_of_PulseAudio()
    {
        using var listener = await Client.ConnectAsync(_desk, "/audio");
        await listener.ReceiveAsync();
        Assert.Equal(1, SoundServer.Threads());
        await listener.SendAsync(new { type = "ping" });
        Assert.NotNull(await listener.NextAsync("pong"));

        await listener.SendAsync(new { type = "stop" });

        while (await listener.ReceiveAsync() is not null)
        {
        }

        Assert.Equal(1000, listener.Closed);
        Assert.Equal(0, await Eventually.Is(SoundServer.Threads, count => count == 0));
    }

    [Fact]
    public async Task Listeners_share_one_connection_and_leave_one_by_one()
    {
        var listeners = await Task.WhenAll(Enumerable.Range(0, 5).Select(n => Client.ConnectAsync(_desk, $"/audio?sample_rate={8000 + (n * 10_000)}")));
        foreach (var listener in listeners)
        {
            await listener.NextAsync("started");
        }

        Assert.Equal(1, SoundServer.Threads());
        Array.ForEach(listeners[1..], listener => listener.Abort());
        await listeners[0].ReceiveAsync();
        await listeners[0].CloseAsync();

        Assert.Equal(0, await Eventually.Is(SoundServer.Threads, count => count == 0));
        Array.ForEach(listeners, listener => listener.Dispose());
    }

    [Fact]
    public async Task A_PulseAudio_that_is_restarted_is_heard_again()
    {
        using var listener = await Client.ConnectAsync(_desk, "/audio");
        await listener.ReceiveAsync();

        _sound.Kill();
        _sound.Start();
        await _sound.AnswersAsync();
        using var player = _sound.Play(_sound.Tone(1000, 20));

        Assert.InRange(Tone.Frequency(await HearAsync(listener, 24_000, 1, 0.3), 24_000), 990, 1010);
    }

    [Fact]
    public async Task Without_PulseAudio_it_says_so()
    {
        _sound.Kill();
        using var listener = await Client.ConnectAsync(_desk, "/audio");

        var error = await listener.NextAsync("error");

        Assert.StartsWith("Failed to start audio capture", error!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Null(await listener.ReceiveAsync());
        Assert.Equal(4500, listener.Closed);
        Assert.Equal(0, await Eventually.Is(SoundServer.Threads, count => count == 0));
    }

    [Fact]
    public async Task A_speaker_that_is_taken_away_ends_it()
    {
        using var listener = await Client.ConnectAsync(_desk, "/audio");
        await listener.ReceiveAsync();

        using var client = _sound.Client("pactl unload-module module-null-sink");

        Assert.NotNull(await listener.NextAsync("error"));
        Assert.Null(await listener.ReceiveAsync());
        Assert.Equal(4500, listener.Closed);
    }

    [Theory]
    [InlineData("?sample_rate=7999", "sample_rate")]
    [InlineData("?sample_rate=48001", "sample_rate")]
    [InlineData("?sample_rate=fast", "sample_rate")]
    [InlineData("?channels=0", "channels")]
    [InlineData("?channels=3", "channels")]
    public async Task A_parameter_that_is_no_good_is_named_and_closes(string query, string field)
    {
        using var listener = await Client.ConnectAsync(_desk, $"/audio{query}");

        Assert.StartsWith($"{field} must be ", (await listener.NextAsync("error"))!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Null(await listener.ReceiveAsync());
        Assert.Equal(1008, listener.Closed);
    }

    /// <summary>The samples that follow the first that is no silence and the 100 ms after it.</summary>
    private static async Task<short[]> HearAsync(Client listener, int rate, int channels, double seconds)
    {
        var heard = new List<short>();
        var wanted = (int)(seconds * rate) * channels;
        var skipped = rate / 10 * channels;
        while (heard.Count < skipped + wanted)
        {
            var samples = MemoryMarshal.Cast<byte, short>((await listener.ReceiveAsync())!.Value.Bytes!).ToArray();
            if (heard.Count > 0 || Array.Exists(samples, s => Math.Abs((int)s) > 1000))
            {
                heard.AddRange(samples);
            }
        }

        return [.. heard[skipped..]];
    }
}
