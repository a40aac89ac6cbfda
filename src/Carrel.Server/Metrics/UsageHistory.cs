namespace Carrel.Server.Metrics;

/// <summary>One computer's past: every ten seconds of an hour, every minute of a day. In memory; it grows as there is something to keep.</summary>
internal sealed class UsageHistory
{
    public const int FineSeconds = 10;
    public const int CoarseSeconds = 60;
    public static readonly TimeSpan FineKept = TimeSpan.FromHours(1);
    public static readonly TimeSpan CoarseKept = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly Queue<Usage> _fine = new();
    private readonly Queue<Usage> _coarse = new();
    private readonly List<Usage> _minute = [];

    public Usage? Latest { get; private set; }

    public void Add(Usage usage)
    {
        lock (_gate)
        {
            Latest = usage;
            Keep(_fine, usage, FineKept);
            if (_minute.Count > 0 && Minute(_minute[0]) != Minute(usage))
            {
                Keep(_coarse, Usage.Sum(_minute)!.Value, CoarseKept);
                _minute.Clear();
            }

            _minute.Add(usage);
        }
    }

    /// <summary>What is known of a time, in the finer of the two resolutions where that reaches back to its beginning.</summary>
    public IReadOnlyList<Usage> Of(long from, long to, bool fine)
    {
        lock (_gate)
        {
            IEnumerable<Usage> all = fine ? _fine : _coarse.Concat(_minute);
            return [.. all.Where(usage => usage.To > from && usage.From < to)];
        }
    }

    private static long Minute(Usage usage) => usage.From / (CoarseSeconds * 1000);

    private static void Keep(Queue<Usage> queue, Usage usage, TimeSpan kept)
    {
        queue.Enqueue(usage);
        while (queue.Peek().To < usage.To - (long)kept.TotalMilliseconds)
        {
            queue.Dequeue();
        }
    }
}
