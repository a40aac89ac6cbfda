namespace Carrel.Deskd.Tests.Audio;

internal static class Tone
{
    /// <summary>
    /// Frequency of a lone sine, from the time between its rises through zero; the median, because a player on a busy machine
    /// leaves gaps.
    /// </summary>
    public static double Frequency(short[] samples, int rate)
    {
        var rises = Enumerable.Range(1, samples.Length - 1)
            .Where(n => samples[n - 1] < 0 && samples[n] >= 0)
            .Select(n => n - ((double)samples[n] / (samples[n] - samples[n - 1])))
            .ToList();
        var periods = rises.Zip(rises.Skip(1), (a, b) => b - a).Order().ToList();
        return periods.Count == 0 ? 0 : rate / periods[periods.Count / 2];
    }
}
