using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Events;

[Collection("sound")]
public sealed class AudioEventTests : IAsyncLifetime
{
    private readonly SoundServer _sound = new();
    private readonly Desk _desk;

    public AudioEventTests() => _desk = new Desk { PulseSocket = _sound.Socket };

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

    [Fact]
    public async Task Sound_is_told_as_it_begins_and_as_it_ends()
    {
        using var client = await EventsClient.SubscribedAsync(_desk, "audio_stream_start", "audio_stream_stop");
        var tone = _sound.Tone(440, 0.3);

        // What plays when the connection to PulseAudio comes up did not begin; so there is a second one.
        using var player = _sound.Client($"for i in 1 2 3; do pacat --playback --raw --format=s16le --rate=48000 --channels=2 {tone}; sleep 0.5; done");

        await client.EventAsync("audio_stream_start");
        await client.EventAsync("audio_stream_stop");
        await client.UnsubscribeAsync("audio_stream_start", "audio_stream_stop");
        Assert.Equal(0, await Eventually.Is(SoundServer.Threads, threads => threads == 0));
    }
}
