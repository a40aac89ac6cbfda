using Carrel.Server.Hosting;

namespace Carrel.Server.Files;

/// <summary>Ends a transfer that does not move, however long one that does may take.</summary>
internal sealed class StallClock(TimeSpan limit, TimeProvider clock) : IDisposable
{
    private readonly CancellationTokenSource _stalled = new(limit, clock);

    public CancellationToken Token => _stalled.Token;

    public bool HasStalled => _stalled.IsCancellationRequested;

    /// <summary>Some bytes went on their way.</summary>
    public void Moved() => _stalled.CancelAfter(limit);

    public void Dispose() => _stalled.Dispose();
}

internal sealed class StallClocks(Settings settings, TimeProvider clock)
{
    public StallClock Start() => new(settings.TransferStall, clock);

    public StallClock Start(TimeSpan limit) => new(limit, clock);
}
