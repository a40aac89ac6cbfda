using Carrel.Contracts;

namespace Carrel.Server.Computers;

/// <summary>
/// Turns a bug into a failure that is logged whole, so that no computer is stuck in a transitional status for it, and nothing on the host is
/// forgotten.
/// </summary>
internal sealed partial class Guard(ILogger<Guard> log)
{
    /// <param name="instance">Which computer it is about, for the log.</param>
    public async Task<Outcome<T>> RunAsync<T>(string instance, Func<Task<Outcome<T>>> work)
    {
        try
        {
            return await work();
        }
#pragma warning disable CA1031 // See the summary.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Unexpected(log, bug, instance);
            return new Failure(ErrorCodes.Internal, $"The server failed in a way it did not expect: {bug.Message}", "Its log says more.");
        }
    }

    [LoggerMessage(1212, LogLevel.Error, "Computer {Instance}: what was done with it failed unexpectedly")]
    private static partial void Unexpected(ILogger log, Exception bug, string instance);
}
