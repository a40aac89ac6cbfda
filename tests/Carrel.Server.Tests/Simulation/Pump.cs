using System.Collections.Concurrent;

namespace Carrel.Server.Tests.Simulation;

/// <summary>Runs all that the servers of one simulation do, on one thread.</summary>
internal sealed class Pump
{
    private readonly BlockingCollection<(Life Life, SendOrPostCallback Work, object? State)> _queue = [];
    private int _expected;

    /// <summary>Something is on its way outside this thread (HTTP's own), and will come back.</summary>
    public void Expect() => Interlocked.Increment(ref _expected);

    public void Came() => Interlocked.Decrement(ref _expected);

    public static void Run(Life life, Action work)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(life);
        try
        {
            work();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>Until nothing moves any more without a choice or the time going on.</summary>
    public void Drain()
    {
        for (var turns = 0; ;)
        {
            if (!_queue.TryTake(out var next))
            {
                if (Volatile.Read(ref _expected) == 0)
                {
                    return;
                }

                if (!_queue.TryTake(out next, TimeSpan.FromSeconds(60)))
                {
                    throw new InvalidOperationException("what was expected from HTTP never came");
                }
            }

            if (++turns > 100_000)
            {
                throw new InvalidOperationException("it goes around in circles");
            }

            if (next.Life.IsAlive)
            {
                Run(next.Life, () => next.Work(next.State));
            }
        }
    }

    /// <summary>One server's life: when it is over, nothing of it goes on.</summary>
    public sealed class Life(Pump pump) : SynchronizationContext
    {
        public bool IsAlive { get; private set; } = true;

        public void End() => IsAlive = false;

        public override void Post(SendOrPostCallback d, object? state) => pump._queue.Add((this, d, state));

        public override void Send(SendOrPostCallback d, object? state) => Run(this, () => d(state));

        public override SynchronizationContext CreateCopy() => this;
    }
}
