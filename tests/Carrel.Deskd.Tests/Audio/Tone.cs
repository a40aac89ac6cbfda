namespace Carrel.Deskd.Tests.Audio;

internal static class Tone
{
    /// <summary>Frequency of a lone sine, from how often it rises through zero.</summary>
    public static double Frequency(short[] samples, int rate)
    {
        var rises = Enumerable.Range(1, samples.Length - 1).Where(n => samples[n - 1] < 0 && samples[n] >= 0).ToList();
        return rises.Count < 2 ? 0 : (double)rate * (rises.Count - 1) / (rises[^1] - rises[0]);
    }
}
