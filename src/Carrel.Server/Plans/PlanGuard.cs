using System.Globalization;
using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;

namespace Carrel.Server.Plans;

/// <summary>What an account has of what its plan limits. Stopped computers count like running ones.</summary>
internal readonly record struct Usage(int Computers, double Cpu, int RamGb, int DiskGb)
{
    public static Usage operator +(Usage usage, Hardware more) =>
        new(usage.Computers + 1, usage.Cpu + more.Cpu, usage.RamGb + more.RamGb, usage.DiskGb + more.DiskGb);
}

/// <summary>Room that is taken for what is being made. It is given back when disposed: by then the computer is in the registry, or never came to be.</summary>
internal sealed class Room(PlanGuard guard, string computerId) : IDisposable
{
    public void Dispose() => guard.GiveBack(computerId);
}

/// <summary>
/// Holds accounts to their plans. What is there (the registry) and what is on its way (room taken) are counted under one lock, each computer
/// once, so that no number of calls at once comes past a limit.
/// </summary>
internal sealed class PlanGuard(PlanBook plans, ClientBook clients, Memberships owners, ComputerRegistry registry)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Claim> _claims = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes room for a computer that is to be made: created, cloned, or moved in from another account.</summary>
    /// <param name="record">Its id, workspace, account and size.</param>
    /// <param name="isTemplate">It starts from a template.</param>
    public Outcome<Room> ForNew(ComputerRecord record, bool isTemplate = false)
    {
        var account = owners.OwnerOf(record.WorkspaceId, record.AccountId);
        var plan = plans.Of(account);
        if (isTemplate && !plan.TemplatesAllowed)
        {
            return new Failure(ErrorCodes.PlanUpgradeRequired, $"The plan {plan.Name} allows no templates.", "Ask the operator for another plan.");
        }

        lock (_gate)
        {
            var refusal = OneTooMany(plan, account, record)
                ?? OneTooLarge(plan, record.Hardware)
                ?? TooMuch(plan, UsageOf(account, null) + record.Hardware, record.Hardware);
            if (refusal is not null)
            {
                return refusal;
            }

            return Take(account, record.WorkspaceId, record.Id, record.Hardware);
        }
    }

    /// <summary>Takes room for a computer's new size, as far as it grows; the old one counts until the registry has the new.</summary>
    public Outcome<Room> ForResize(ComputerRecord record, Hardware wanted)
    {
        var account = owners.OwnerOf(record.WorkspaceId, record.AccountId);
        var plan = plans.Of(account);
        var larger = Larger(record.Hardware, wanted);
        lock (_gate)
        {
            // What is no larger than before is never refused, also where a plan has become smaller since.
            var grows = new Hardware(
                wanted.Cpu > record.Hardware.Cpu ? wanted.Cpu : 0,
                wanted.RamGb > record.Hardware.RamGb ? wanted.RamGb : 0,
                wanted.DiskGb > record.Hardware.DiskGb ? wanted.DiskGb : 0,
                wanted.Screen);
            var refusal = OneTooLarge(plan, grows) ?? TooMuch(plan, UsageOf(account, record.Id) + larger, grows);
            if (refusal is not null)
            {
                return refusal;
            }

            return Take(account, record.WorkspaceId, record.Id, larger);
        }
    }

    /// <summary>Whether an account's plan admits a whole workspace with its computers; null where it does.</summary>
    public Failure? ForTransfer(string workspaceId, string to)
    {
        var plan = plans.Of(to);
        lock (_gate)
        {
            var usage = UsageOf(to, null);
            foreach (var hardware in registry.In(workspaceId).Select(computer => computer.State.Record.Hardware))
            {
                if ((OneTooLarge(plan, hardware) ?? TooManyOfAccount(plan, usage.Computers) ?? TooMuch(plan, usage + hardware, hardware)) is { } refusal)
                {
                    return refusal;
                }

                usage += hardware;
            }
        }

        return null;
    }

    public Usage UsageOf(string account)
    {
        lock (_gate)
        {
            return UsageOf(account, null);
        }
    }

    public void GiveBack(string computerId)
    {
        lock (_gate)
        {
            _claims.Remove(computerId);
        }
    }

    private Room Take(string account, string workspace, string computerId, Hardware hardware)
    {
        _claims[computerId] = new Claim(account, workspace, hardware);
        return new Room(this, computerId);
    }

    private Usage UsageOf(string account, string? butId) =>
        Claims(claim => claim.Account == account).Where(claim => claim.Id != butId).Aggregate(default(Usage), (usage, claim) => usage + claim.Hardware);

    /// <summary>What is there and what is on its way, each computer once, as large as it may yet become.</summary>
    private IEnumerable<(string Id, Hardware Hardware)> Claims(Func<Claim, bool> counts)
    {
        foreach (var computer in registry.All)
        {
            var record = computer.State.Record;
            var there = new Claim(owners.OwnerOf(record.WorkspaceId, record.AccountId), record.WorkspaceId, record.Hardware);
            if (counts(there))
            {
                yield return (record.Id, _claims.TryGetValue(record.Id, out var wanted) ? Larger(record.Hardware, wanted.Hardware) : record.Hardware);
            }
        }

        foreach (var (id, claim) in _claims)
        {
            if (registry.Find(id) is null && counts(claim))
            {
                yield return (id, claim.Hardware);
            }
        }
    }

    private Failure? OneTooMany(Plan plan, string account, ComputerRecord record)
    {
        if (TooManyOfAccount(plan, Claims(claim => claim.Account == account).Count()) is { } tooMany)
        {
            return tooMany;
        }

        var used = Claims(claim => claim.Workspace == record.WorkspaceId).Count();
        return clients.MaxComputersOf(record.WorkspaceId) is { } most && used >= most
            ? new Failure(
                ErrorCodes.PlanLimit,
                string.Create(CultureInfo.InvariantCulture, $"Computer limit reached: workspace {record.WorkspaceName} may have {most} computers and has {used}."),
                "Delete one first.")
            : null;
    }

    private static Failure? TooManyOfAccount(Plan plan, int used) => plan.MaxComputers switch
    {
        0 => new(ErrorCodes.PlanUpgradeRequired, $"The plan {plan.Name} allows no computers.", "Ask the operator for another plan."),
        { } most when used >= most => new(
            ErrorCodes.DesktopLimit,
            string.Create(CultureInfo.InvariantCulture, $"Computer limit reached: the plan {plan.Name} allows {most}, {used} are there (stopped ones count)."),
            "Delete one first, or ask the operator for another plan."),
        _ => null,
    };

    private static Failure? OneTooLarge(Plan plan, Hardware wanted) =>
        wanted.RamGb > plan.MaxRamGb ? OfOne(ErrorCodes.PerComputerRamCap, "RAM", plan, plan.MaxRamGb.Value, wanted.RamGb, "GB")
        : wanted.Cpu > plan.MaxCpu ? OfOne(ErrorCodes.PerComputerCpuCap, "CPU", plan, plan.MaxCpu.Value, wanted.Cpu, "CPUs")
        : wanted.DiskGb > plan.MaxDiskGb ? OfOne(ErrorCodes.DiskQuotaExceeded, "Disk", plan, plan.MaxDiskGb.Value, wanted.DiskGb, "GB")
        : null;

    /// <param name="asked">What is asked for; a dimension that is 0 does not grow, and so is not looked at.</param>
    private static Failure? TooMuch(Plan plan, Usage after, Hardware asked) =>
        asked.RamGb > 0 && after.RamGb > plan.TotalRamGb ? OfAll(ErrorCodes.RamAddon, "RAM", plan, plan.TotalRamGb.Value, after.RamGb, "GB")
        : asked.Cpu > 0 && after.Cpu > plan.TotalCpu ? OfAll(ErrorCodes.VcpuAddon, "CPU", plan, plan.TotalCpu.Value, after.Cpu, "CPUs")
        : asked.DiskGb > 0 && after.DiskGb > plan.TotalDiskGb ? OfAll(ErrorCodes.DiskQuotaExceeded, "Disk", plan, plan.TotalDiskGb.Value, after.DiskGb, "GB")
        : null;

    private static Failure OfOne(string code, string what, Plan plan, double most, double asked, string unit) => new(
        code,
        string.Create(CultureInfo.InvariantCulture, $"{what} limit exceeded: the plan {plan.Name} allows {most} {unit} per computer, {asked} were asked for."),
        "Ask for less, or the operator for another plan.");

    private static Failure OfAll(string code, string what, Plan plan, double most, double after, string unit) => new(
        code,
        string.Create(
            CultureInfo.InvariantCulture, $"{what} limit exceeded: the plan {plan.Name} allows {most} {unit} in all, and this would make it {after} (stopped computers count)."),
        "Ask for less, delete a computer, or ask the operator for another plan.");

    private static Hardware Larger(Hardware one, Hardware other) => new(
        Math.Max(one.Cpu, other.Cpu), Math.Max(one.RamGb, other.RamGb), Math.Max(one.DiskGb, other.DiskGb), other.Screen);

    private sealed record Claim(string Account, string Workspace, Hardware Hardware);
}
