namespace Carrel.Deskd.Settling;

/// <summary>
/// Tells a blinking caret from a change: damage no larger than a caret in a place that had the same damage before, at least
/// <see cref="BlinkGap"/> earlier. The first one is a change, as it may be the character just typed; so is each of a throbber,
/// which repaints faster than carets blink.
/// </summary>
internal sealed class BlinkFilter
{
    /// <summary>Pixels: a caret of a large font, or the seconds of a clock.</summary>
    public const int CaretArea = 2048;

    /// <summary>The quickest blinking that toolkits allow is about 200 ms from change to change.</summary>
    public static readonly TimeSpan BlinkGap = TimeSpan.FromMilliseconds(180);

    /// <summary>Places remembered; more than any screen has blinking on it.</summary>
    private const int MostPlaces = 4096;

    private readonly Dictionary<Damage, TimeSpan> _small = [];

    public bool IsBlink(Damage damage, TimeSpan now)
    {
        if (damage.Width * damage.Height > CaretArea)
        {
            return false;
        }

        if (_small.Count >= MostPlaces)
        {
            _small.Clear();
        }

        var blinks = _small.TryGetValue(damage, out var before) && now - before >= BlinkGap;
        _small[damage] = now;
        return blinks;
    }
}
