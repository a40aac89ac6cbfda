using Carrel.Deskd.Http;

namespace Carrel.Deskd.Audio;

/// <summary>
/// The socket <c>/audio</c> (reference section 7.3): what the speaker plays, as raw s16le in frames of 20 ms. Frames come
/// whether or not something plays, as the speaker gives silence then.
/// </summary>
internal sealed class AudioEndpoint(PulseLink link, TimeProvider time)
{
    public static readonly IntegerField SampleRate = new("sample_rate", "Samples a second.", false, 8000, 48_000, 24_000);
    public static readonly IntegerField Channels = new("channels", "1 is mono, 2 is stereo.", false, 1, 2, 1);

    /// <summary>Listeners at once; each is a stream that PulseAudio converts for it.</summary>
    public const int Most = 16;

    // A second: what a client may lag behind before it misses something.
    private const int FramesKept = 50;
    private const int FramesAtOnce = 5;
    private const string CannotCapture = "Failed to start audio capture";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(5);
    private int _open;

    public Route Route => new("GET", "/audio", "A WebSocket: what the speaker plays.", OpenAsync) { Query = [SampleRate, Channels] };

    private async Task<Reply> OpenAsync(Exchange exchange)
    {
        if (!exchange.IsWebSocketRequest)
        {
            return SocketRefusal.NoWebSocket(exchange);
        }

        var (sampleRate, channels) = (exchange.Query.Read(SampleRate), exchange.Query.Read(Channels));
        using var socket = new JsonSocket(await exchange.AcceptWebSocketAsync(), time);
        if (exchange.Query.Complaint is { } complaint)
        {
            await socket.RefuseAsync(SocketRefusal.BadParameter, complaint);
            return Reply.Taken;
        }

        var open = Interlocked.Increment(ref _open);
        try
        {
            await (open > Most
                ? socket.RefuseAsync(SocketRefusal.BackendFailed, $"{CannotCapture}: {Most} listen already, the most there may be")
                : ServeAsync(socket, sampleRate, channels));
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }

        return Reply.Taken;
    }

    private async Task ServeAsync(JsonSocket socket, int sampleRate, int channels)
    {
        var frameBytes = sampleRate / 50 * channels * sizeof(short);
        var sound = new PcmBuffer(frameBytes, FramesKept);
        using var capture = new SpeakerCapture(link, sampleRate, channels, frameBytes, sound);
        if (await ProblemAsync(capture) is { } problem)
        {
            Log.Write($"a listener: {problem}");
            await socket.RefuseAsync(SocketRefusal.BackendFailed, $"{CannotCapture}: {problem}");
            return;
        }

        var stopped = false;
        var listening = ListenAsync();
        try
        {
            await SendAsync(socket, sampleRate, channels, sound, new byte[frameBytes * FramesAtOnce]);
            if (!stopped && !listening.IsCompleted)
            {
                await socket.SendErrorAsync("Audio capture ended: the speaker was removed");
            }

            await socket.CloseAsync(stopped || listening.IsCompleted ? 1000 : SocketRefusal.BackendFailed, "");
        }
        catch (Exception gone) when (JsonSocket.IsGone(gone))
        {
            // The listener left.
        }

        await listening;

        async Task ListenAsync()
        {
            while (await socket.ReceiveAsync() is { } message)
            {
                stopped |= message.GetProperty("type"u8).ValueEquals("stop"u8);
                if (stopped)
                {
                    sound.End();
                }
            }

            sound.End();
        }
    }

    private static async Task SendAsync(JsonSocket socket, int sampleRate, int channels, PcmBuffer sound, byte[] piece)
    {
        await socket.SendAsync(json =>
        {
            json.WriteString("type"u8, "started"u8);
            json.WriteNumber("sample_rate"u8, sampleRate);
            json.WriteNumber("channels"u8, channels);
        });
        for (int count; (count = await sound.ReadAsync(piece)) > 0;)
        {
            await socket.SendBinaryAsync(piece.AsMemory(0, count));
        }
    }

    private async Task<string?> ProblemAsync(SpeakerCapture capture)
    {
        try
        {
            return await capture.Started.WaitAsync(StartLimit, time);
        }
        catch (TimeoutException)
        {
            return $"PulseAudio did not answer within {StartLimit.TotalSeconds} s";
        }
    }
}
