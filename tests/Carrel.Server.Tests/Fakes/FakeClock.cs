namespace Carrel.Server.Tests.Fakes;

/// <summary>The real clock, which a test can set forward; timers run in real time.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}
