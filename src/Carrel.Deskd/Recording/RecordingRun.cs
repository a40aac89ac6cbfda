using Carrel.Deskd.Streaming;

namespace Carrel.Deskd.Recording;

/// <summary>What a recording is made of, and its limits.</summary>
internal sealed record RecordingOrder(Guid Id, int Fps, bool Audio, TimeSpan Longest, long LargestBytes);

/// <summary>
/// One recording under way: ffmpeg writes fragments of two seconds to the computer's own disk, so that whatever ends it,
/// all but the last of them is there.
/// </summary>
internal sealed class RecordingRun
{
    private static readonly TimeSpan Tail = TimeSpan.FromMilliseconds(500);

    private readonly FfmpegProcess _process;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _zero;

    private RecordingRun(RecordingOrder order, FfmpegProcess process, TimeProvider time)
    {
        (Order, _process, _time) = (order, process, time);
        _zero = process.Zero ?? time.GetUtcNow();
        Ended = FollowAsync();
    }

    public RecordingOrder Order { get; }

    /// <summary>Completes when it has ended, with why where nobody asked for that.</summary>
    public Task<string?> Ended { get; }

    /// <summary>Since its first picture.</summary>
    public TimeSpan Elapsed => _time.GetUtcNow() - _zero;

    /// <summary>A recording whose first pictures are on the disk, or why there is none.</summary>
    public static async Task<(RecordingRun? Run, string? Why)> BeginAsync(RecordingOrder order, Capture capture, string file, TimeProvider time, CancellationToken cancellationToken)
    {
        var process = await FfmpegProcess.StartAsync(capture.Display, [.. Arguments(order, capture, file)]);
        await using (cancellationToken.UnsafeRegister(static running => ((FfmpegProcess)running!).Stop(), process))
        {
            if (await Task.WhenAny(process.Begun, process.Ended) == process.Begun)
            {
                return (new RecordingRun(order, process, time), null);
            }
        }

        var end = await process.Ended;
        return (null, cancellationToken.IsCancellationRequested ? "it was given up before it began" : end.Describe());
    }

    public Task StopAsync()
    {
        _process.Stop();
        return Ended;
    }

    /// <summary>Goes on for a moment before it ends, so that what the last action did is to be seen.</summary>
    public async Task StopSoonAsync()
    {
        await Task.WhenAny(Ended, Task.Delay(Tail, _time));
        await StopAsync();
    }

    private static IEnumerable<string> Arguments(RecordingOrder order, Capture capture, string file) =>
    [
        .. capture.Inputs,
        .. capture.Codecs,

        // As much as its quality takes, and where noise fills the screen no more than this: a fragment is written as a whole, so
        // the largest size is kept to within one.
        "-crf", "26", "-maxrate", "8M", "-bufsize", "16M", "-fs", Capture.Number(order.LargestBytes),
        "-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-flush_packets", "1", "-y", file,
    ];

    private async Task<string?> FollowAsync()
    {
        using var limit = new CancellationTokenSource(Order.Longest, _time);
        FfmpegEnd end;
        await using (limit.Token.UnsafeRegister(static running => ((FfmpegProcess)running!).Stop(), _process))
        {
            end = await _process.Ended;
        }

        return (limit.IsCancellationRequested, end) switch
        {
            (true, _) => $"it reached its longest time of {Order.Longest.TotalSeconds:0} s",
            (_, { WasStopped: true }) => null,
            (_, { ExitCode: 0, Signal: 0, LastWords: "" }) => $"it reached its largest size of {Order.LargestBytes} bytes",
            _ => end.Describe(),
        };
    }
}
