using Carrel.Contracts.Events;
using Carrel.Deskd.Audio;

namespace Carrel.Deskd.Events;

/// <summary>Whether the speaker plays, of which PulseAudio tells.</summary>
internal sealed class AudioSource(AudioActivity activity, EventHub hub) : EventSource(EventCatalogue.AudioStreamStart, EventCatalogue.AudioStreamStop)
{
    private IDisposable? _watch;

    public override Task StartAsync()
    {
        _watch = activity.Watch(plays => hub.Publish(plays ? EventCatalogue.AudioStreamStart : EventCatalogue.AudioStreamStop));
        return Task.CompletedTask;
    }

    public override Task StopAsync()
    {
        _watch?.Dispose();
        _watch = null;
        return Task.CompletedTask;
    }
}
