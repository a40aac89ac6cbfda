using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Files;

namespace Carrel.Server.Hosting;

/// <summary>At the end of the server, transitions and deliveries under way are waited for; what takes too long, recovery finishes next time.</summary>
internal sealed class Shutdown(ComputerRegistry registry, FileDelivery files, AccountUpkeep accounts, Readiness readiness) : IHostedLifecycleService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        var settled = Task.WhenAll(registry.All.Select(computer => computer.Settled).Append(files.Settled));
        await settled.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (readiness.IsReady)
        {
            await accounts.FlushAsync();
        }
    }
}
