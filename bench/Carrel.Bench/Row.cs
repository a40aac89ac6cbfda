namespace Carrel.Bench;

/// <summary>One measured thing: its samples, what it is held against, and what a peer took for the same.</summary>
/// <param name="Name">Stable name, also the argument of <c>--only</c>.</param>
/// <param name="Unit"><c>ms</c>, <c>MiB</c>, <c>percent</c>, <c>count</c> and the like; less is better.</param>
/// <param name="Samples">In the order they were taken.</param>
/// <param name="Target">What we hold ourselves to, in the unit; null where none is set.</param>
/// <param name="Peer">The same work done as most agents do it, measured in turn with ours.</param>
/// <param name="PeerName">What the peer is.</param>
/// <param name="TargetPercentile">Which percentile the target is for.</param>
internal sealed record Row(
    string Name, string Unit, IReadOnlyList<double> Samples, double? Target = null, IReadOnlyList<double>? Peer = null, string? PeerName = null,
    int TargetPercentile = 50)
{
    internal double P50 => Percentile(Samples, 50);

    internal double P95 => Percentile(Samples, 95);

    internal double P99 => Percentile(Samples, 99);

    internal double? PeerP50 => Peer is null ? null : Percentile(Peer, 50);

    internal bool? Met => Target is { } target ? Percentile(Samples, TargetPercentile) <= target : null;

    /// <summary>The smallest sample that at least <paramref name="percent"/> of all do not exceed (nearest rank).</summary>
    internal static double Percentile(IReadOnlyList<double> samples, double percent)
    {
        var sorted = samples.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * sorted.Count) - 1, 0, sorted.Count - 1)];
    }
}
