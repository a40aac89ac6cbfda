namespace Carrel.Deskd.Tests.World;

/// <summary>Waits for another program to do what it was made to do.</summary>
internal static class Eventually
{
    public static async Task<T> Is<T>(Func<T> look, Func<T, bool> wanted, int seconds = 10)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var seen = look();
            if (wanted(seen) || TimeProvider.System.GetElapsedTime(started).TotalSeconds > seconds)
            {
                return seen;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
