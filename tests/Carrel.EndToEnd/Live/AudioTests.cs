using System.Runtime.InteropServices;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

public sealed class AudioTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    [Theory]
    [InlineData("audio", 24_000, 1)]
    [InlineData("audio?sample_rate=44100&channels=2", 44_100, 2)]
    public async Task A_tone_that_plays_inside_is_heard(string pathAndQuery, int rate, int channels)
    {
        using var listener = await OpenAsync(pathAndQuery);
        Assert.Equal(
            $$"""{"type":"started","sample_rate":{{rate}},"channels":{{channels}}}""", (await listener.ReceiveAsync())!.Value.Json!.Value.GetRawText());

        await shared.Computer.BashAsync("setsid ffmpeg -v error -f lavfi -i sine=frequency=880:duration=8 -f pulse tone > /dev/null 2>&1 &");

        var frequency = await HeardAsync(listener, rate, channels);
        await shared.Computer.BashAsync("pkill -x ffmpeg");
        Assert.InRange(frequency, 870, 890);
    }

    [Fact]
    public async Task Stop_ends_it_and_leaves_no_recording_stream()
    {
        using var listener = await OpenAsync("audio");
        await listener.NextAsync("started");
        await listener.SendAsync(new { type = "ping" });
        Assert.NotNull(await listener.NextAsync("pong"));

        await listener.SendAsync(new { type = "stop" });

        while (await listener.ReceiveAsync() is not null)
        {
        }

        Assert.Equal(1000, listener.Closed);
        await Computer.UntilAsync(async () => await shared.Computer.BashAsync("pactl list short source-outputs") == "", "the stream is gone");
    }

    [Fact]
    public async Task A_parameter_that_is_no_good_closes_with_its_reason()
    {
        using var listener = await OpenAsync("audio?sample_rate=96000");

        Assert.Equal("sample_rate must be between 8000 and 48000, got 96000", (await listener.NextAsync("error"))!.Value.GetProperty("message").GetString());
        Assert.Null(await listener.ReceiveAsync());
        Assert.Equal(1008, listener.Closed);
    }

    /// <summary>The frequency of half a second of the first channel, from how often it rises through zero.</summary>
    private static async Task<double> HeardAsync(LiveSocket listener, int rate, int channels)
    {
        var heard = new List<short>();
        while (heard.Count < rate * 6 / 10)
        {
            var samples = MemoryMarshal.Cast<byte, short>((await listener.ReceiveAsync())!.Value.Bytes).ToArray().Where((_, n) => n % channels == 0).ToArray();
            if (heard.Count > 0 || Array.Exists(samples, s => Math.Abs((int)s) > 1000))
            {
                heard.AddRange(samples);
            }
        }

        // Not the beginning, which a player may stutter through.
        var part = heard[(rate / 10)..];
        var rises = Enumerable.Range(1, part.Count - 1).Where(n => part[n - 1] < 0 && part[n] >= 0).ToList();
        return (double)rate * (rises.Count - 1) / (rises[^1] - rises[0]);
    }

    private Task<LiveSocket> OpenAsync(string pathAndQuery) =>
        LiveSocket.ConnectAsync(shared.Installation.Address, shared.Computer.InstanceId, pathAndQuery, shared.Installation.Key);
}
