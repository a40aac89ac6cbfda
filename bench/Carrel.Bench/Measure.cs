using System.Diagnostics;

namespace Carrel.Bench;

internal static class Measure
{
    /// <summary>Milliseconds one call takes.</summary>
    internal static async Task<double> MillisecondsAsync(Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        await call();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    /// <summary>Takes <paramref name="count"/> samples after <paramref name="warmUp"/> that do not count.</summary>
    internal static async Task<List<double>> SamplesAsync(int count, int warmUp, Func<Task> call)
    {
        var samples = new List<double>(count);
        for (var i = -warmUp; i < count; i++)
        {
            var taken = await MillisecondsAsync(call);
            if (i >= 0)
            {
                samples.Add(taken);
            }
        }

        return samples;
    }
}
