using Carrel.Server.Waking;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class IdleMeterTests
{
    private static readonly IdleLimits Limits = new(CpuPercent: 5, NetworkBytes: 1000);

    [Fact]
    public void Quiet_minutes_add_up()
    {
        var meter = new IdleMeter();

        Assert.Equal(TimeSpan.Zero, meter.Look(At(7), Cpu(10), 500, Limits));
        Assert.False(meter.IsDue(At(7.99)));
        Assert.True(meter.IsDue(At(8)));
        Assert.Equal(TimeSpan.FromMinutes(1), meter.Look(At(8), Cpu(13), 1500, Limits)); // 5 % of a CPU, 1000 bytes.
        Assert.Equal(TimeSpan.FromMinutes(3), meter.Look(At(10), Cpu(13), 1500, Limits));
    }

    [Theory]
    [InlineData(3.1, 0)]
    [InlineData(0, 1001)]
    public void A_busy_minute_begins_the_period_anew(double cpuSeconds, long bytes)
    {
        var meter = new IdleMeter();
        meter.Look(At(0), Cpu(0), 0, Limits);
        meter.Look(At(1), Cpu(0), 0, Limits);

        Assert.Equal(TimeSpan.Zero, meter.Look(At(2), Cpu(cpuSeconds), bytes, Limits));
        Assert.Equal(TimeSpan.FromMinutes(1), meter.Look(At(3), Cpu(cpuSeconds), bytes, Limits));
    }

    [Fact]
    public void Use_begins_the_period_anew()
    {
        var meter = new IdleMeter();
        meter.Look(At(0), Cpu(0), 0, Limits);
        meter.Look(At(1), Cpu(0), 0, Limits);

        meter.Used();
        Assert.True(meter.IsDue(At(1.1)));
        Assert.Equal(TimeSpan.Zero, meter.Look(At(1.2), Cpu(100), 1_000_000, Limits));
        Assert.Equal(TimeSpan.FromMinutes(1), meter.Look(At(2.2), Cpu(100), 1_000_000, Limits));
    }

    private static TimeSpan At(double minutes) => TimeSpan.FromMinutes(minutes);

    private static TimeSpan Cpu(double seconds) => TimeSpan.FromSeconds(seconds);
}
