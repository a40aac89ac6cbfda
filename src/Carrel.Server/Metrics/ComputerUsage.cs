namespace Carrel.Server.Metrics;

/// <summary>What computers used lately, for whoever decides by it.</summary>
internal interface IComputerUsage
{
    /// <summary>
    /// What a computer used in the last <paramref name="period"/> (an hour at most), as far as it is known: null where nothing is, and
    /// <see cref="Usage.Seconds"/> says of how long. It lags behind by up to ten seconds.
    /// </summary>
    Usage? Of(string computerId, TimeSpan period);
}
