namespace Carrel.Deskd.Tests.World;

/// <summary>Time that stands still until a test moves it. Timers are not needed by what is tested with it.</summary>
internal sealed class FakeTime : TimeProvider
{
    private long _ticks = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(TimeSpan by) => _ticks += by.Ticks;
}
