namespace Carrel.Deskd.Settling;

/// <param name="Quiet">How long nothing may change.</param>
/// <param name="Timeout">How long to wait for that at most.</param>
internal readonly record struct SettleLimits(TimeSpan Quiet, TimeSpan Timeout);

/// <param name="Settled">False when the time was up before the screen was quiet.</param>
internal readonly record struct SettleReport(bool Settled, TimeSpan Waited);

internal readonly record struct Damage(int X, int Y, int Width, int Height);

/// <summary>
/// Decides when a screen has settled. Pure: told of damage and of the time, it says when to look again.
/// <para>
/// A blinking caret would keep a screen busy for ever when the quiet time is longer than its half period. So damage no
/// larger than a caret (<see cref="CaretArea"/>) in a place that had the same damage before, at least
/// <see cref="BlinkGap"/> earlier, does not count. The first one does, as it may be the character just typed; a throbber,
/// which repaints faster than carets blink, does too.
/// </para>
/// </summary>
internal sealed class SettleTracker(SettleLimits limits, TimeSpan start)
{
    /// <summary>Pixels: a caret of a large font, or the seconds of a clock.</summary>
    public const int CaretArea = 2048;

    /// <summary>The quickest blinking that toolkits allow is about 200 ms from change to change.</summary>
    public static readonly TimeSpan BlinkGap = TimeSpan.FromMilliseconds(180);

    private readonly Dictionary<Damage, TimeSpan> _small = [];
    private readonly TimeSpan _start = start;
    private TimeSpan _lastChange = start;

    /// <summary>Notes that a part of the screen was painted.</summary>
    public void OnDamage(Damage damage, TimeSpan now)
    {
        if (damage.Width * damage.Height <= CaretArea)
        {
            var blinks = _small.TryGetValue(damage, out var before) && now - before >= BlinkGap;
            _small[damage] = now;
            if (blinks)
            {
                return;
            }
        }

        _lastChange = now;
    }

    /// <summary>The report once there is one; before that, how long until it is worth asking again.</summary>
    public (SettleReport? Report, TimeSpan AskAgainIn) Ask(TimeSpan now)
    {
        var quietAt = _lastChange + limits.Quiet;
        var over = _start + limits.Timeout;
        if (now >= quietAt)
        {
            return (new SettleReport(true, now - _start), TimeSpan.Zero);
        }

        return now >= over
            ? (new SettleReport(false, now - _start), TimeSpan.Zero)
            : (null, (quietAt < over ? quietAt : over) - now);
    }
}
