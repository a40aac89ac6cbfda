namespace Carrel.Machines.Cgroups;

/// <summary>
/// Which CPUs a machine may use. `nproc` counts those a process may be scheduled on and knows nothing of quotas, so a machine
/// gets as many as its limit needs, the least taken ones. Stateless: who has which is read from the control groups of all
/// installations on the host.
/// </summary>
internal static class CpuPlacement
{
    private static readonly Lock Gate = new();

    /// <summary>Gives a machine as many CPUs as <paramref name="limit"/> needs.</summary>
    internal static void Place(Cgroup machine, double limit)
    {
        if (!machine.HasCpuSet)
        {
            return;
        }

        lock (Gate)
        {
            var all = Cgroup.HostCpus();
            var count = (int)Math.Min(Math.Ceiling(limit), all.Count);
            var load = LoadOf(all, Cgroup.Machines().Where(other => other.Path != machine.Path).Select(Share.Of).OfType<Share>());
            var now = machine.CpuSet();
            machine.SetCpuSet([.. all.OrderBy(cpu => load[cpu]).ThenBy(cpu => now.Contains(cpu) ? 0 : 1).ThenBy(cpu => cpu).Take(count)]);
        }
    }

    /// <summary>After a machine has left: moves machines from CPUs that many share to those that few do.</summary>
    internal static void Balance()
    {
        lock (Gate)
        {
            var machines = Cgroup.Machines().Where(machine => machine.HasCpuSet).ToList();
            if (machines.Count == 0)
            {
                return;
            }

            var all = Cgroup.HostCpus();
            var shares = machines.Select(Share.Of).OfType<Share>().Where(share => share.Cpus.Count < all.Count).ToList();
            while (BestMove(all, shares) is { } move)
            {
                var moved = move.Share with { Cpus = [.. move.Share.Cpus.Where(cpu => cpu != move.From), move.To] };
                shares[shares.IndexOf(move.Share)] = moved;
                if (!TryMove(moved))
                {
                    shares.Remove(moved);
                }
            }
        }
    }

    private static bool TryMove(Share share)
    {
        try
        {
            share.Machine.SetCpuSet(share.Cpus);
            return true;
        }
        catch (IOException)
        {
            return false; // It has gone meanwhile.
        }
    }

    // Each move makes the fullest CPU less full than it was, or the emptiest less empty, so there is an end of them.
    private static (Share Share, int From, int To)? BestMove(IReadOnlyList<int> all, List<Share> shares)
    {
        var load = LoadOf(all, shares);
        var (from, to) = (all.MaxBy(cpu => load[cpu]), all.MinBy(cpu => load[cpu]));
        var share = shares.Where(share => share.Cpus.Contains(from) && !share.Cpus.Contains(to) && load[from] - load[to] > share.PerCpu + 1e-6).MinBy(share => share.PerCpu);
        return share is null ? null : (share, from, to);
    }

    private static Dictionary<int, double> LoadOf(IReadOnlyList<int> all, IEnumerable<Share> shares)
    {
        var load = all.ToDictionary(cpu => cpu, _ => 0.0);
        foreach (var share in shares)
        {
            foreach (var cpu in share.Cpus.Where(load.ContainsKey))
            {
                load[cpu] += share.PerCpu;
            }
        }

        return load;
    }

    /// <summary>What a machine may use of each of its CPUs.</summary>
    private sealed record Share(Cgroup Machine, IReadOnlyList<int> Cpus, double PerCpu)
    {
        /// <summary>Null for one that is being booted, or has gone meanwhile.</summary>
        internal static Share? Of(Cgroup machine)
        {
            try
            {
                return machine.CpuSet() is { Count: > 0 } cpus && machine.Cpus() is { } limit ? new Share(machine, cpus, limit / cpus.Count) : null;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }
}
