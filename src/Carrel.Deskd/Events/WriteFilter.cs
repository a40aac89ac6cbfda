namespace Carrel.Deskd.Events;

/// <summary>
/// Makes one or two changes of the thousand writes by which a file grows: the first write is told, then one a second while
/// writing goes on, and the last. Told what happens to files with a lock held; tells on that thread or on a timer's.
/// </summary>
internal sealed class WriteFilter : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Writing> _writings = new(StringComparer.Ordinal);
    private readonly Action<string> _tell;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private bool _isArmed;

    public WriteFilter(TimeProvider time, Action<string> tell)
    {
        (_time, _tell) = (time, tell);
        _timer = time.CreateTimer(_ => OnTime(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A file is there that was told of just now.</summary>
    public void OnCreated(string path)
    {
        lock (_gate)
        {
            Note(path, new Writing(_time.GetTimestamp(), IsNews: false));
        }
    }

    public void OnWritten(string path, bool isClosed)
    {
        lock (_gate)
        {
            var isKnown = _writings.TryGetValue(path, out var writing);
            if (isClosed)
            {
                // A close without a write is told only where nothing was told before: somebody touched an old file.
                _writings.Remove(path);
                if (!isKnown || writing.IsNews)
                {
                    _tell(path);
                }
            }
            else if (isKnown)
            {
                _writings[path] = writing with { IsNews = true };
            }
            else
            {
                _tell(path);
                Note(path, new Writing(_time.GetTimestamp(), IsNews: false));
            }
        }
    }

    public void OnGone(string path)
    {
        lock (_gate)
        {
            _writings.Remove(path);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Note(string path, Writing writing)
    {
        _writings[path] = writing;
        if (!_isArmed)
        {
            _isArmed = true;
            _timer.Change(Pace, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTime()
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            foreach (var (path, writing) in _writings.ToList())
            {
                if (writing.IsNews)
                {
                    _tell(path);
                    _writings[path] = new Writing(now, IsNews: false);
                }
                else if (_time.GetElapsedTime(writing.Told, now) >= Pace)
                {
                    _writings.Remove(path);
                }
            }

            _isArmed = _writings.Count > 0;
            if (_isArmed)
            {
                _timer.Change(Pace, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <param name="Told">When the file was told of last.</param>
    /// <param name="IsNews">It was written to since.</param>
    private readonly record struct Writing(long Told, bool IsNews);
}
