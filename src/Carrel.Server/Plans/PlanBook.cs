using System.Collections.Concurrent;
using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Plans;

/// <summary>The operator's plans, in memory and in the database; memory changes after the database did.</summary>
internal sealed class PlanBook(Database database, UserDirectory users)
{
    /// <summary>The plan that is always there, and that who has no other has.</summary>
    public const string Unlimited = "unlimited";

    private static readonly Plan Fallback = new() { Name = Unlimited };
    private readonly ConcurrentDictionary<string, Plan> _plans = new(StringComparer.Ordinal);

    public IEnumerable<Plan> All => _plans.Values.OrderBy(plan => plan.Name, StringComparer.Ordinal);

    public async Task LoadAsync()
    {
        var plans = await database.ReadAsync(connection => connection.QueryAsync<Plan>(
            """
            SELECT name, max_computers AS MaxComputers, max_cpu AS MaxCpu, max_ram_gb AS MaxRamGb, max_disk_gb AS MaxDiskGb, total_cpu AS TotalCpu,
                   total_ram_gb AS TotalRamGb, total_disk_gb AS TotalDiskGb, templates_allowed AS TemplatesAllowed,
                   rate_limit_per_minute AS RateLimitPerMinute, max_api_keys AS MaxApiKeys
            FROM plans
            """));
        foreach (var plan in plans)
        {
            _plans[plan.Name] = plan;
        }
    }

    public Plan? Find(string name) => _plans.GetValueOrDefault(name);

    /// <summary>The plan of an account.</summary>
    public Plan Of(string accountId) => users.Find(accountId) is { } user ? Find(user.Plan) ?? Fallback : Find(Unlimited) ?? Fallback;

    /// <summary>Makes a plan or changes it, for all who have it.</summary>
    /// <returns>Whether it is new.</returns>
    public async Task<bool> SetAsync(Plan plan)
    {
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            INSERT INTO plans (name, max_computers, max_cpu, max_ram_gb, max_disk_gb, total_cpu, total_ram_gb, total_disk_gb, templates_allowed,
                               rate_limit_per_minute, max_api_keys)
            VALUES (@Name, @MaxComputers, @MaxCpu, @MaxRamGb, @MaxDiskGb, @TotalCpu, @TotalRamGb, @TotalDiskGb, @Templates, @RateLimitPerMinute, @MaxApiKeys)
            ON CONFLICT (name) DO UPDATE SET
                max_computers = excluded.max_computers, max_cpu = excluded.max_cpu, max_ram_gb = excluded.max_ram_gb, max_disk_gb = excluded.max_disk_gb,
                total_cpu = excluded.total_cpu, total_ram_gb = excluded.total_ram_gb, total_disk_gb = excluded.total_disk_gb,
                templates_allowed = excluded.templates_allowed, rate_limit_per_minute = excluded.rate_limit_per_minute,
                max_api_keys = excluded.max_api_keys
            """,
            new
            {
                plan.Name,
                plan.MaxComputers,
                plan.MaxCpu,
                plan.MaxRamGb,
                plan.MaxDiskGb,
                plan.TotalCpu,
                plan.TotalRamGb,
                plan.TotalDiskGb,
                Templates = plan.TemplatesAllowed ? 1L : 0L,
                plan.RateLimitPerMinute,
                plan.MaxApiKeys,
            },
            transaction));
        var isNew = !_plans.ContainsKey(plan.Name);
        _plans[plan.Name] = plan;
        return isNew;
    }

    /// <summary>Deletes a plan that nobody has.</summary>
    public async Task<Failure?> DeleteAsync(string name)
    {
        if (name == Unlimited)
        {
            return new Failure(ErrorCodes.InvalidField, $"The plan {Unlimited} stays.", "Change it with PUT.");
        }

        // Asked of the database in the same step, so that nobody is given the plan while it goes.
        var deleted = await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "DELETE FROM plans WHERE name = @name AND NOT EXISTS (SELECT 1 FROM accounts WHERE plan = @name)", new { name }, transaction));
        if (deleted > 0)
        {
            _plans.TryRemove(name, out _);
            return null;
        }

        return Find(name) is null
            ? new Failure(ErrorCodes.NotFound, $"No plan {name}.")
            : new Failure(ErrorCodes.InvalidField, $"The plan {name} is in use.", "Give its users another plan first.");
    }
}
