using Carrel.Server.Plans;

namespace Carrel.Server.Accounts;

/// <summary>Brings what is asked of every request into memory, in the order in which one needs the other.</summary>
internal sealed class AccountStart(AdminKey adminKey, PlanBook plans, ClientBook clients, Memberships members, Sessions sessions)
{
    public async Task RunAsync()
    {
        await adminKey.EnsureAsync();
        await plans.LoadAsync();
        await clients.LoadAsync();
        await members.LoadAsync();
        await sessions.LoadAsync();
    }
}
