using System.Collections.Concurrent;

namespace Carrel.Server.Accounts;

/// <summary>
/// Makes guessing slow: after some failures in a row whoever tries has to wait, twice as long after each further one. Counted by user and
/// address, so that nobody can lock another out, and by address, so that nobody can try all users.
/// </summary>
internal sealed class LoginGuard(TimeProvider clock)
{
    private const int MostRemembered = 10_000;
    private const int FreeTriesOfOne = 5;
    private const int FreeTriesOfAddress = 25;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Forgotten = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<string, Tries> _tries = new(StringComparer.Ordinal);

    /// <summary>How long to wait before another try; null where there is no need to.</summary>
    public TimeSpan? Wait(string address, string user)
    {
        var now = clock.GetUtcNow();
        var until = new[] { Of(address, user), Of(address) }.Select(key => _tries.GetValueOrDefault(key)?.Until ?? default).Max();
        return until > now ? until - now : null;
    }

    /// <summary>Counts a try before it is known how it ends, so that many at once do not all pass.</summary>
    public void Begun(string address, string user)
    {
        if (_tries.Count > MostRemembered)
        {
            var now = clock.GetUtcNow();
            foreach (var (key, _) in _tries.Where(tries => tries.Value.Last + Forgotten < now || tries.Value.Count == 1))
            {
                _tries.TryRemove(key, out _);
            }
        }

        Count(Of(address, user), FreeTriesOfOne);
        Count(Of(address), FreeTriesOfAddress);
    }

    public void Succeeded(string address, string user)
    {
        _tries.TryRemove(Of(address, user), out _);

        // Only this try is taken back: one's own account must not be a way to go on guessing others'.
        if (_tries.TryGetValue(Of(address), out var all))
        {
            _tries.TryUpdate(Of(address), all with { Count = all.Count - 1, Until = default }, all);
        }
    }

    private void Count(string key, int free)
    {
        var now = clock.GetUtcNow();
        _tries.AddOrUpdate(
            key,
            _ => new Tries(1, now, default),
            (_, before) =>
            {
                var count = before.Last + Forgotten < now ? 1 : before.Count + 1;
                var wait = count < free ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Math.Pow(2, Math.Min(count - free, 20)), LongestWait.TotalSeconds));
                return new Tries(count, now, now + wait);
            });
    }

    private static string Of(string address, string user = "") => $"{address} {user}";

    private sealed record Tries(int Count, DateTimeOffset Last, DateTimeOffset Until);
}
