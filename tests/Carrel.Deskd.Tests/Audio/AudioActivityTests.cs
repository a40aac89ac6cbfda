using System.Threading.Channels;
using Carrel.Deskd.Audio;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Audio;

[Collection("sound")]
public sealed class AudioActivityTests
{
    private readonly Channel<bool> _told = Channel.CreateUnbounded<bool>();

    [Fact]
    public async Task The_first_stream_starts_it_and_the_last_stops_it()
    {
        using var server = new SoundServer();
        using var watching = await WatchAsync(server);
        var tone = server.Tone(440, 30);

        using (server.Play(tone))
        {
            Assert.True(await NextAsync());
            using (server.Play(tone))
            {
            }
        }

        Assert.False(await NextAsync());
        using (server.Play(tone))
        {
            Assert.True(await NextAsync());
        }

        Assert.False(await NextAsync());
    }

    [Fact]
    public async Task A_stream_that_ends_by_itself_stops_it()
    {
        using var server = new SoundServer();
        using var watching = await WatchAsync(server);

        using var player = server.Play(server.Tone(440, 0.3));

        Assert.True(await NextAsync());
        Assert.False(await NextAsync());
    }

    [Fact]
    public async Task A_PulseAudio_that_dies_stops_it_and_is_watched_again_when_it_is_back()
    {
        using var server = new SoundServer();
        using var watching = await WatchAsync(server);
        var tone = server.Tone(440, 30);
        using var player = server.Play(tone);
        Assert.True(await NextAsync());

        server.Kill();
        Assert.False(await NextAsync());
        server.Start();
        await server.AnswersAsync();
        using var another = server.Play(tone);

        Assert.True(await NextAsync());
    }

    [Fact]
    public async Task Nothing_runs_while_nobody_watches()
    {
        using var server = new SoundServer();
        var before = SoundServer.Threads();
        var watching = await WatchAsync(server);
        Assert.True(SoundServer.Threads() > 0);

        watching.Dispose();

        Assert.Equal(before, await Eventually.Is(SoundServer.Threads, count => count <= before));
    }

    private async Task<IDisposable> WatchAsync(SoundServer server)
    {
        await server.AnswersAsync();
        return new AudioActivity(new PulseLink(server.Socket, TimeProvider.System)).Watch(playing => _told.Writer.TryWrite(playing));
    }

    private async Task<bool> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return await _told.Reader.ReadAsync(limit.Token);
    }
}
