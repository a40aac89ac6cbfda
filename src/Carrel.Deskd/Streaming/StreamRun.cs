namespace Carrel.Deskd.Streaming;

/// <summary>What a stream is made of.</summary>
/// <param name="Name">What the host calls its target.</param>
/// <param name="Scale">Size of the picture where it is not the screen's.</param>
internal sealed record StreamOrder(
    string Name, StreamTarget Target, (int Width, int Height)? Scale, int Fps, int Kilobits, bool Audio, TimeSpan Reconnect);

/// <summary>How a stream stands.</summary>
/// <param name="Pid">Of the ffmpeg that works now; null between two attempts to reach the target again.</param>
/// <param name="Reason">Why it ended or what broke last.</param>
internal sealed record StreamState(bool Terminated, bool Reconnecting, DateTimeOffset Started, int? Pid, string? Reason, DateTimeOffset? Ended, int Reconnects);

/// <summary>
/// One stream from its beginning until it is stopped or gives up. (1) ffmpeg runs until it ends. (2) Somebody killed it: that
/// is the end. (3) The connection broke: again after 1, 2, 4, ... 30 s, until the target takes it or the time for that is over.
/// </summary>
internal sealed class StreamRun : IDisposable
{
    private static readonly TimeSpan LongestBeginning = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly StreamOrder _order;
    private readonly Func<Capture?> _capture;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private Task _supervision = Task.CompletedTask;

    public StreamRun(StreamOrder order, Func<Capture?> capture, TimeProvider time)
    {
        (_order, _capture, _time) = (order, capture, time);
        State = new StreamState(false, false, time.GetUtcNow(), null, null, null, 0);
    }

    public StreamOrder Order => _order;

    public StreamState State { get; private set; }

    /// <summary>Null once pictures flow, or why they do not.</summary>
    public async Task<string?> BeginAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        var (process, why) = await AttemptAsync(either.Token);
        if (process is null)
        {
            return why;
        }

        State = State with { Started = process.Zero ?? _time.GetUtcNow(), Pid = process.Pid };
        _supervision = SuperviseAsync(process);
        return null;
    }

    /// <summary>Ends it and returns when nothing of it is left.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _supervision;
    }

    public void Dispose() => _stop.Dispose();

    private async Task SuperviseAsync(FfmpegProcess process)
    {
        var attempts = 0;
        var brokeAt = _time.GetTimestamp();
        while (true)
        {
            var begun = _time.GetTimestamp();
            FfmpegEnd end;
            await using (_stop.Token.UnsafeRegister(static running => ((FfmpegProcess)running!).Stop(), process))
            {
                end = await process.Ended;
            }

            if (_stop.IsCancellationRequested)
            {
                return;
            }

            if (end.WasKilled)
            {
                Terminate(end.Describe());
                return;
            }

            // A connection that held is a new beginning; one that breaks at once is the same trouble as before.
            if (_time.GetElapsedTime(begun) > LongestPause)
            {
                attempts = 0;
            }

            if (attempts == 0)
            {
                brokeAt = _time.GetTimestamp();
            }

            State = State with { Reconnecting = true, Pid = null, Reason = end.Describe() };
            Log.Write($"the stream to {_order.Name} broke: {end.Describe()}");
            FfmpegProcess? again = null;
            while (again is null)
            {
                if (_time.GetElapsedTime(brokeAt) >= _order.Reconnect)
                {
                    Terminate($"{_order.Name} could not be reached again within {_order.Reconnect.TotalSeconds:0} s: {State.Reason}");
                    return;
                }

                var pause = TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, Math.Min(attempts++, 10))));
                if (!await PauseAsync(pause))
                {
                    return;
                }

                (again, var why) = await AttemptAsync(_stop.Token);
                if (_stop.IsCancellationRequested && again is null)
                {
                    return;
                }

                State = State with { Reason = why ?? State.Reason };
            }

            process = again;
            State = State with { Reconnecting = false, Pid = process.Pid, Reason = null, Reconnects = State.Reconnects + 1 };
        }
    }

    /// <summary>An ffmpeg whose pictures flow, or why there is none.</summary>
    private async Task<(FfmpegProcess? Process, string? Why)> AttemptAsync(CancellationToken cancellationToken)
    {
        if (_capture() is not { } capture)
        {
            return (null, "the computer's screen is not there at the moment");
        }

        FfmpegProcess process;
        try
        {
            process = await FfmpegProcess.StartAsync(capture.Display, [.. Arguments(capture)], _order.Target.SecretOptions, _order.Target.Key);
        }
        catch (IOException e)
        {
            return (null, e.Message);
        }

        using var limit = new CancellationTokenSource(LongestBeginning, _time);
        await using (limit.Token.UnsafeRegister(static running => ((FfmpegProcess)running!).Stop(), process))
        await using (cancellationToken.UnsafeRegister(static running => ((FfmpegProcess)running!).Stop(), process))
        {
            if (await Task.WhenAny(process.Begun, process.Ended) == process.Begun)
            {
                return (process, null);
            }
        }

        var end = await process.Ended;
        var why = (cancellationToken.IsCancellationRequested, limit.IsCancellationRequested) switch
        {
            (true, _) => "it was stopped before it began",
            (_, true) => $"{_order.Target} took nothing within {LongestBeginning.TotalSeconds:0} s",
            _ => end.Describe(),
        };
        return (null, why);
    }

    private IEnumerable<string> Arguments(Capture capture) =>
    [
        .. capture.Inputs,
        .. _order.Scale is { } size ? (string[])["-vf", $"scale={Capture.Number(size.Width)}:{Capture.Number(size.Height)}"] : [],
        .. capture.Codecs,
        "-tune", "zerolatency",
        "-b:v", $"{Capture.Number(_order.Kilobits)}k", "-maxrate", $"{Capture.Number(_order.Kilobits)}k", "-bufsize", $"{Capture.Number(_order.Kilobits * 2)}k",
        .. _order.Target.Output,
    ];

    private async Task<bool> PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _time, _stop.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Terminate(string why)
    {
        State = State with { Terminated = true, Reconnecting = false, Pid = null, Reason = why, Ended = _time.GetUtcNow() };
        Log.Write($"the stream to {_order.Name} ended: {why}");
    }
}
