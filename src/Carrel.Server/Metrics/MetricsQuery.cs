using System.Globalization;
using Carrel.Contracts;

namespace Carrel.Server.Metrics;

/// <summary>Which time a caller asks for, and in what steps.</summary>
/// <param name="From">Unix milliseconds, a multiple of the step.</param>
/// <param name="To">Unix milliseconds.</param>
/// <param name="Step">Seconds.</param>
internal sealed record MetricsQuery(long From, long To, int Step)
{
    private const int MostPoints = 1500;
    private const int MostStep = 86_400;

    public int Points => (int)((To - From + StepMs - 1) / StepMs);

    public long StepMs => Step * 1000L;

    /// <param name="now">Unix milliseconds.</param>
    public static Outcome<MetricsQuery> Read(IQueryCollection query, long now)
    {
        if (TimeOf(query["to"], now) is not { } to)
        {
            return Invalid("to", "must be a time as in RFC 3339, or Unix seconds");
        }

        if (TimeOf(query["from"], to - (long)UsageHistory.FineKept.TotalMilliseconds) is not { } from || from >= to)
        {
            return Invalid("from", "must be a time as in RFC 3339, or Unix seconds, before to");
        }

        // Where the fine resolution does not reach back to, or would be too much, it is minutes.
        var fine = now - from <= (long)UsageHistory.FineKept.TotalMilliseconds + 1000;
        var least = fine ? UsageHistory.FineSeconds : UsageHistory.CoarseSeconds;
        var asked = query["step"].ToString();
        if (!int.TryParse(asked.Length == 0 ? $"{least}" : asked, NumberStyles.None, CultureInfo.InvariantCulture, out var step) || step < 1 || step > MostStep)
        {
            return Invalid("step", $"must be from 1 to {MostStep} seconds");
        }

        step = Math.Max(step, least);
        var begin = from / (step * 1000L) * (step * 1000L);
        var read = new MetricsQuery(begin, to, step);
        return (to - begin) / read.StepMs >= MostPoints ? Invalid("step", $"gives more than {MostPoints} points; take longer steps or a shorter time") : read;
    }

    private static long? TimeOf(string? text, long otherwise)
    {
        if (string.IsNullOrEmpty(text))
        {
            return otherwise;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? seconds * 1000 : null;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeMilliseconds() : null;
    }

    private static Failure Invalid(string name, string why) => new(ErrorCodes.InvalidField, $"The query parameter {name} {why}.");
}
