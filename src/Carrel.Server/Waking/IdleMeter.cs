namespace Carrel.Server.Waking;

/// <summary>What a machine may do and still be idle.</summary>
/// <param name="CpuPercent">Of one CPU, averaged over a window.</param>
/// <param name="NetworkBytes">Both ways together, in a minute.</param>
internal readonly record struct IdleLimits(double CpuPercent, long NetworkBytes);

/// <summary>
/// For how long a machine has done next to nothing, in windows of a minute: shorter ones would take a desktop's own little
/// bursts (a clock, a cursor, a log) for work. Belongs to one run of a computer; another run begins anew. Not thread-safe.
/// </summary>
internal sealed class IdleMeter
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private TimeSpan _since;
    private TimeSpan? _windowBegan;
    private TimeSpan _cpu;
    private long _network;

    /// <summary>Somebody uses it: whatever was counted so far is void.</summary>
    public void Used() => _windowBegan = null;

    /// <summary>Whether it is time to read the machine's counters and <see cref="Look"/>.</summary>
    public bool IsDue(TimeSpan now) => _windowBegan is not { } began || now - began >= Window;

    /// <param name="now">On a clock that only goes forward.</param>
    /// <param name="cpu">CPU time used since the machine was launched.</param>
    /// <param name="network">Bytes received and sent since then.</param>
    /// <returns>For how long it has been idle.</returns>
    public TimeSpan Look(TimeSpan now, TimeSpan cpu, long network, IdleLimits limits)
    {
        var isQuiet = _windowBegan is { } began
            && (cpu - _cpu) / (now - began) * 100 <= limits.CpuPercent
            && (network - _network) / (now - began).TotalMinutes <= limits.NetworkBytes;
        if (!isQuiet)
        {
            _since = now;
        }

        (_windowBegan, _cpu, _network) = (now, cpu, network);
        return now - _since;
    }
}
