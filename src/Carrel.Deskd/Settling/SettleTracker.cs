namespace Carrel.Deskd.Settling;

/// <param name="Quiet">How long nothing may change.</param>
/// <param name="Timeout">How long to wait for that at most.</param>
internal readonly record struct SettleLimits(TimeSpan Quiet, TimeSpan Timeout);

/// <param name="Settled">False when the time was up before the screen was quiet.</param>
internal readonly record struct SettleReport(bool Settled, TimeSpan Waited);

internal readonly record struct Damage(int X, int Y, int Width, int Height);

/// <summary>
/// Decides when a screen has settled. Pure: told of damage and of the time, it says when to look again.
/// A blinking caret would keep it busy for ever when the quiet time is longer than its half period, so <see cref="BlinkFilter"/>
/// takes it out.
/// </summary>
internal sealed class SettleTracker(SettleLimits limits, TimeSpan start)
{
    private readonly BlinkFilter _blinks = new();
    private readonly TimeSpan _start = start;
    private TimeSpan _lastChange = start;

    /// <summary>Notes that a part of the screen was painted.</summary>
    public void OnDamage(Damage damage, TimeSpan now)
    {
        if (!_blinks.IsBlink(damage, now))
        {
            _lastChange = now;
        }
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
