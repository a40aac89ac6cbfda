using System.Globalization;

namespace Carrel.Deskd.Readiness;

/// <summary>Time since the machine's first process started; its resolution is the kernel's 10 ms tick.</summary>
internal sealed class BootClock
{
    private const double TicksPerSecond = 100;
    private readonly TimeProvider _time;
    private readonly long _reference;
    private readonly double _offset;

    public BootClock(TimeProvider time)
    {
        // Field 22 of stat is the start in ticks since boot, as /proc/uptime is in seconds. The name in parentheses may hold spaces.
        var stat = File.ReadAllText("/proc/1/stat");
        var started = long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture) / TicksPerSecond;
        var uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        (_time, _reference, _offset) = (time, time.GetTimestamp(), (uptime - started) * 1000);
    }

    public double Milliseconds => Math.Round(_offset + _time.GetElapsedTime(_reference).TotalMilliseconds, 1);
}
