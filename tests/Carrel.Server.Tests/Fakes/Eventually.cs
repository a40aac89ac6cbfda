using Xunit;

namespace Carrel.Server.Tests.Fakes;

/// <summary>Waits, with a generous limit, for what comes in its own time.</summary>
internal static class Eventually
{
    public static Task TrueAsync(Func<bool> seen) => TrueAsync(() => Task.FromResult(seen()));

    public static async Task TrueAsync(Func<Task<bool>> seen)
    {
        for (var begun = TimeProvider.System.GetTimestamp(); !await seen();)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), "not within a minute");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
