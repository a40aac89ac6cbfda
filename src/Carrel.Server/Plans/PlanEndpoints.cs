using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Plans;

/// <summary>The plans, and what an account has of its own (reference sections 16 and 25.17).</summary>
internal sealed class PlanEndpoints(PlanBook plans, PlanGuard guard, ClientBook clients, WorkspaceStore workspaces, Access access)
{
    private const int Most = 1_000_000;

    public IResult List() => Results.Json(new PlanList([.. plans.All.Select(Shown)]), ApiJson.Default.PlanList);

    public async Task<IResult> SetAsync(HttpContext context, string name)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var plan = new Plan
        {
            Name = name,
            MaxComputers = fields.Whole(0, Most, "max_computers"),
            MaxCpu = fields.Number(0, Most, "max_cpu"),
            MaxRamGb = fields.Whole(0, Most, "max_ram_gb"),
            MaxDiskGb = fields.Whole(0, Most, "max_disk_gb"),
            TotalCpu = fields.Number(0, Most, "total_cpu"),
            TotalRamGb = fields.Whole(0, Most, "total_ram_gb"),
            TotalDiskGb = fields.Whole(0, Most, "total_disk_gb"),
            TemplatesAllowed = fields.Flag("templates_allowed") ?? true,
            RateLimitPerMinute = fields.Whole(1, Most, "rate_limit_per_minute"),
            MaxApiKeys = fields.Whole(0, Most, "max_api_keys"),
        };
        if (name.Length > 100 || name.Any(char.IsControl) || string.IsNullOrWhiteSpace(name))
        {
            fields.Refuse("name", "must have 1 to 100 characters");
        }

        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        context.NoteTarget("plan", name);
        var isNew = await plans.SetAsync(plan);
        return Results.Json(Shown(plan), ApiJson.Default.PlanAnswer, statusCode: isNew ? 201 : 200);
    }

    public async Task<IResult> DeleteAsync(HttpContext context, string name)
    {
        context.NoteTarget("plan", name);
        return await plans.DeleteAsync(name) is { } refusal ? refusal.AsProblem() : Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    }

    public IResult Subscription(HttpContext context)
    {
        var plan = plans.Of(context.Caller().AccountId);
        return Results.Json(
            new SubscriptionAnswer(plan.Name, "active", new PlanLimits(plan.MaxComputers, plan.TotalRamGb), Shown(plan)), ApiJson.Default.SubscriptionAnswer);
    }

    /// <summary>Of the caller, or of the owner of a workspace the caller can see.</summary>
    public async Task<IResult> LimitsAsync(HttpContext context, string? workspaceId)
    {
        var caller = context.Caller();
        var (account, workspace) = (caller.AccountId, caller.WorkspaceId);
        if ((workspaceId ?? workspace) is { Length: > 0 } id)
        {
            var missing = $"No workspace {id}.";
            var found = await workspaces.FindAsync(id.ToLowerInvariant());
            if ((found is null ? Problem.NotFound(missing) : access.Refusal(caller, ActionClass.Read, found.AccountId, found.Id, missing)) is { } refusal)
            {
                return refusal;
            }

            (account, workspace) = (found!.AccountId, found.Id);
        }

        var (plan, usage) = (plans.Of(account), guard.UsageOf(account));
        return Results.Json(
            new ComputeLimitsAnswer(
                plan.Name,
                plan.MaxComputers,
                usage.Computers,
                plan.MaxCpu,
                plan.MaxRamGb,
                plan.MaxDiskGb,
                plan.TotalCpu,
                usage.Cpu,
                plan.TotalRamGb,
                usage.RamGb,
                plan.TotalDiskGb,
                usage.DiskGb,
                plan.TemplatesAllowed,
                workspace is null ? null : clients.MaxComputersOf(workspace)),
            ApiJson.Default.ComputeLimitsAnswer);
    }

    public IResult Capacity(HttpContext context)
    {
        var account = context.Caller().AccountId;
        var (plan, used) = (plans.Of(account), guard.UsageOf(account).Computers);
        return Results.Json(
            new CapacityAnswer(plan.Name, plan.MaxComputers, used, plan.MaxComputers is { } most ? Math.Max(0, most - used) : null), ApiJson.Default.CapacityAnswer);
    }

    private static PlanAnswer Shown(Plan plan) => new(
        plan.Name,
        plan.MaxComputers,
        plan.MaxCpu,
        plan.MaxRamGb,
        plan.MaxDiskGb,
        plan.TotalCpu,
        plan.TotalRamGb,
        plan.TotalDiskGb,
        plan.TemplatesAllowed,
        plan.RateLimitPerMinute,
        plan.MaxApiKeys);
}
