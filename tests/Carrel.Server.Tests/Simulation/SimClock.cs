namespace Carrel.Server.Tests.Simulation;

/// <summary>Time that stands still until it is set forward. What the wall shows can jump; timers and time stamps only go on.</summary>
internal sealed class SimClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<SimTimer> _timers = [];

    public TimeSpan Now { get; private set; }

    /// <summary>What was done to the clock on the wall.</summary>
    public TimeSpan Jumped { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero) + Now + Jumped;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public TimeSpan? NextDue
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count == 0 ? null : _timers.Min(timer => timer.Due);
            }
        }
    }

    public void AdvanceTo(TimeSpan time) => Now = time > Now ? time : Now;

    /// <summary>Fires the first timer that is due, if one is.</summary>
    public bool FireOne()
    {
        SimTimer? due;
        lock (_gate)
        {
            due = _timers.Where(timer => timer.Due <= Now).MinBy(timer => timer.Due);
            if (due is null)
            {
                return false;
            }

            _timers.Remove(due);
        }

        due.Fire();
        return true;
    }

    private sealed class SimTimer(SimClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public TimeSpan Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
                _period = period;
                if (dueTime >= TimeSpan.Zero)
                {
                    Due = clock.Now + dueTime;
                    clock._timers.Add(this);
                }
            }

            return true;
        }

        public void Fire()
        {
            if (_period > TimeSpan.Zero)
            {
                Change(_period, _period);
            }

            callback(state);
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
