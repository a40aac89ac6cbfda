using Carrel.Server.Audit;
using Carrel.Server.Hosting;

namespace Carrel.Server.Accounts;

/// <summary>What is done now and then: writing down when keys and sessions were last used, and forgetting what is over.</summary>
internal sealed class AccountUpkeep(KeyRing keys, Sessions sessions, RateLimits limits, AuditStore audit, Settings settings, TimeProvider clock)
{
    public async Task RunAsync()
    {
        await FlushAsync();
        limits.Sweep();
        await audit.ForgetAsync(clock.GetUtcNow() - settings.AuditKept);
    }

    public async Task FlushAsync()
    {
        await keys.FlushAsync();
        await sessions.FlushAsync();
    }
}
