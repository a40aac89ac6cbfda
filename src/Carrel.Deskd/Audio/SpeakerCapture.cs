using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Audio;

/// <summary>
/// What the speaker plays, converted by PulseAudio to the listener's rate and channels. Goes on by itself when PulseAudio
/// was restarted; while it is away, nothing comes.
/// </summary>
internal sealed unsafe class SpeakerCapture : IPulseUser, IDisposable
{
    private const string Monitor = "speaker.monitor";
    private readonly TaskCompletionSource<string?> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _sampleRate;
    private readonly int _channels;
    private readonly int _frameBytes;
    private readonly GCHandle _self;
    private readonly IDisposable _membership;
    private nint _stream;

    public SpeakerCapture(PulseLink link, int sampleRate, int channels, int frameBytes, PcmBuffer sound)
    {
        (_sampleRate, _channels, _frameBytes, Sound) = (sampleRate, channels, frameBytes, sound);
        _self = GCHandle.Alloc(this);
        _membership = link.Join(this);
    }

    /// <summary>Null once it records, or why it cannot.</summary>
    public Task<string?> Started => _started.Task;

    private PcmBuffer Sound { get; }

    public void Dispose()
    {
        _membership.Dispose();
        _self.Free();
        Sound.End();
    }

    void IPulseUser.Connected(nint context)
    {
        var spec = new Pulse.SampleSpec { Format = Pulse.PA_SAMPLE_S16LE, Rate = (uint)_sampleRate, Channels = (byte)_channels };
        _stream = Pulse.pa_stream_new(context, "listener", &spec, 0);
        if (_stream == 0)
        {
            Failed(Pulse.Problem(context));
            return;
        }

        Pulse.pa_stream_set_state_callback(_stream, &OnState, GCHandle.ToIntPtr(_self));
        Pulse.pa_stream_set_read_callback(_stream, &OnSamples, GCHandle.ToIntPtr(_self));
        // A fragment of one frame, and the speaker renders that little at a time while somebody listens.
        var attributes = new Pulse.BufferAttributes
        {
            MaxLength = uint.MaxValue,
            TargetLength = uint.MaxValue,
            Prebuffer = uint.MaxValue,
            MinimumRequest = uint.MaxValue,
            FragmentSize = (uint)_frameBytes,
        };
        if (Pulse.pa_stream_connect_record(_stream, Monitor, &attributes, Pulse.PA_STREAM_ADJUST_LATENCY) < 0)
        {
            Failed(Pulse.Problem(context));
        }
    }

    void IPulseUser.Disconnected(string why)
    {
        DropStream();
        _started.TrySetResult($"PulseAudio: {why}");
    }

    void IPulseUser.Leave() => DropStream();

    private void StateChanged(nint stream)
    {
        switch (Pulse.pa_stream_get_state(stream))
        {
            case Pulse.PA_STREAM_READY:
                _started.TrySetResult(null);
                break;
            case Pulse.PA_STREAM_FAILED or Pulse.PA_STREAM_TERMINATED:
                Failed(Pulse.Problem(Pulse.pa_stream_get_context(stream)));
                break;
        }
    }

    private void Failed(string why)
    {
        DropStream();
        if (!_started.TrySetResult($"PulseAudio: {why}"))
        {
            // The speaker itself was taken away, and will not come back by itself.
            Sound.End();
        }
    }

    private void Take(nint stream)
    {
        byte* data;
        nuint count;
        while (Pulse.pa_stream_peek(stream, &data, &count) >= 0 && count > 0)
        {
            // No data with a length is a hole in the recording.
            Sound.Write(data is null ? default : new ReadOnlySpan<byte>(data, (int)count), data is null ? (int)count : 0);
            _ = Pulse.pa_stream_drop(stream);
        }
    }

    private void DropStream()
    {
        if (_stream != 0)
        {
            var stream = _stream;
            _stream = 0;
            Pulse.pa_stream_set_state_callback(stream, null, 0);
            Pulse.pa_stream_set_read_callback(stream, null, 0);
            _ = Pulse.pa_stream_disconnect(stream);
            Pulse.pa_stream_unref(stream);
        }
    }

    [UnmanagedCallersOnly]
    private static void OnState(nint stream, nint self) => Of(self).StateChanged(stream);

    [UnmanagedCallersOnly]
    private static void OnSamples(nint stream, nuint count, nint self) => Of(self).Take(stream);

    private static SpeakerCapture Of(nint self) => (SpeakerCapture)GCHandle.FromIntPtr(self).Target!;
}
