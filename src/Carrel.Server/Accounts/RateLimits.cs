using System.Collections.Concurrent;
using Carrel.Server.Hosting;
using Carrel.Server.Plans;

namespace Carrel.Server.Accounts;

/// <summary>
/// A token bucket as one number: the moment at which it would be full again (GCRA). The framework's limiters keep their own time and are
/// fixed when made; this one goes by <see cref="TimeProvider"/>, and its rate may change with a plan.
/// </summary>
internal sealed class Bucket
{
    private long _fullAt;

    /// <summary>Takes one token, or says how long until there is one.</summary>
    /// <param name="now">Ticks.</param>
    public TimeSpan? Take(long now, int perMinute, int burst)
    {
        var each = TimeSpan.TicksPerMinute / perMinute;
        while (true)
        {
            var before = Volatile.Read(ref _fullAt);
            var after = Math.Max(before, now) + each;
            var wait = after - now - (each * burst);
            if (wait > 0)
            {
                return new TimeSpan(wait);
            }

            if (Interlocked.CompareExchange(ref _fullAt, after, before) == before)
            {
                return null;
            }
        }
    }

    public bool IsFull(long now) => Volatile.Read(ref _fullAt) <= now;
}

/// <summary>How often each key and each browser session may ask, and how often an address may fail to say who it is.</summary>
internal sealed class RateLimits(PlanBook plans, Settings settings, TimeProvider clock)
{
    private const int FailuresPerMinute = 120;
    private readonly ConcurrentDictionary<string, Bucket> _callers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Bucket> _failures = new(StringComparer.Ordinal);

    /// <summary>Null where the caller may go on; else how long to wait.</summary>
    public TimeSpan? Take(Caller caller)
    {
        var perMinute = plans.Of(caller.AccountId).RateLimitPerMinute ?? settings.RateLimitPerMinute;
        return perMinute == 0
            ? null
            : _callers.GetOrAdd(caller.CountedAs, static _ => new Bucket()).Take(clock.GetUtcNow().Ticks, perMinute, Math.Max(1, perMinute / 10));
    }

    /// <summary>Null where an address may be told that its credentials are wrong; else how long to wait.</summary>
    public TimeSpan? Failed(string address) =>
        _failures.GetOrAdd(address, static _ => new Bucket()).Take(clock.GetUtcNow().Ticks, FailuresPerMinute, FailuresPerMinute);

    /// <summary>Forgets who has not asked for a while.</summary>
    public void Sweep()
    {
        var now = clock.GetUtcNow().Ticks;
        foreach (var buckets in new[] { _callers, _failures })
        {
            foreach (var (key, _) in buckets.Where(bucket => bucket.Value.IsFull(now)))
            {
                buckets.TryRemove(key, out _);
            }
        }
    }
}
