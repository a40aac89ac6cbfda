using System.Text;
using Carrel.Contracts;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Disks;
using Carrel.Machines.Native;
using Carrel.Machines.Networks;
using Carrel.Machines.Slots;
using Carrel.Machines.Views;

namespace Carrel.Machines.Container;

/// <summary>After a crash or restart: finds what runs, clears away everything else that carries our names.</summary>
internal sealed class Sweep(Folders folders, DiskStore disks, Teardown teardown)
{
    internal async Task<IReadOnlyList<IMachine>> RunAsync(
        IReadOnlySet<string> knownIds, IReadOnlySet<string> knownSnapshots, Func<string, ContainerMachine?> adopt)
    {
        var alive = new List<IMachine>();
        foreach (var path in Directory.EnumerateDirectories(folders.Machines))
        {
            var id = Path.GetFileName(path);
            KillRuncOf(folders.Machine(id));
            ThawDiskOf(folders.Machine(id));
            if (knownIds.Contains(id) && adopt(id) is { } machine)
            {
                if (await machine.SettleAsync().ConfigureAwait(false) is { } failure)
                {
                    throw new IOException(failure.ToString());
                }

                alive.Add(machine);
            }
            else
            {
                Check(await teardown.ReleaseAsync(id, keepData: knownIds.Contains(id)).ConfigureAwait(false));
            }
        }

        foreach (var id in disks.Ids().Where(id => !knownIds.Contains(id)))
        {
            disks.Delete(id);
        }

        foreach (var id in disks.SnapshotIds().Where(id => !knownSnapshots.Contains(id)))
        {
            disks.DeleteSnapshot(id);
        }

        return alive;
    }

    /// <summary>Ends and releases everything of an installation whose data folder is gone.</summary>
    internal static async Task AbandonedAsync(Folders folders, SlotNetwork network, TimeProvider time)
    {
        var leases = new SlotLeases(folders);
        var factory = new SlotFactory(leases, network);
        var teardown = new Teardown(folders, leases, factory, time);
        foreach (var path in Directory.EnumerateDirectories(folders.Machines))
        {
            KillRuncOf(folders.Machine(Path.GetFileName(path)));
            ThawDiskOf(folders.Machine(Path.GetFileName(path)));
            Check(await teardown.ReleaseAsync(Path.GetFileName(path), keepData: false).ConfigureAwait(false));
        }

        await UnusedSlotsAsync(folders, leases, factory).ConfigureAwait(false);
        await PoolVolume.UnmountAsync(folders, time).ConfigureAwait(false);
        await new Lxcfs(folders, time).StopAsync().ConfigureAwait(false);
        await network.RemoveInstallationAsync().ConfigureAwait(false);
        new Cgroup($"/carrel/{folders.Installation}").RemoveIfEmpty();
        folders.RemoveRuntime();
    }

    /// <summary>Takes apart the slots of this installation that no machine's folder names: the pool of the last server.</summary>
    internal static async Task UnusedSlotsAsync(Folders folders, SlotLeases leases, SlotFactory factory)
    {
        var used = Directory.EnumerateDirectories(folders.Machines)
            .Select(path => MachineState.Load(new MachineFolder(path))?.Slot)
            .ToHashSet();
        foreach (var slot in leases.Mine().Where(slot => !used.Contains(slot.Number)))
        {
            await factory.DestroyAsync(slot).ConfigureAwait(false);
        }
    }

    // A server that was killed while it copied a disk left everybody waiting who writes to it.
    private static void ThawDiskOf(MachineFolder folder)
    {
        if (Mounts.Below(folder.Path).Contains(folder.Disk))
        {
            FileSystem.Thaw(folder.Disk);
        }
    }

    // A server that was killed in the middle of a launch leaves a runc that goes on: first that ends, then its work is judged.
    private static void KillRuncOf(MachineFolder folder)
    {
        var bundle = Encoding.UTF8.GetBytes(folder.Bundle);
        foreach (var path in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[6])))
        {
            if (Read($"{path}/cmdline") is { } line && line.AsSpan().IndexOf(bundle) >= 0)
            {
                var pidfd = Libc.PidfdOpen(int.Parse(path.AsSpan(6), System.Globalization.CultureInfo.InvariantCulture));
                if (pidfd >= 0)
                {
                    using var process = new Fd(pidfd);
                    _ = Libc.PidfdSendSignal(pidfd, 9);
                    Processes.PidfdWatcher.Shared.EndOf(process).Wait();
                }
            }
        }
    }

    private static byte[]? Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (IOException)
        {
            return null; // The process ended while we looked.
        }
    }

    private static void Check(Outcome<bool> released)
    {
        if (!released.Succeeded)
        {
            throw new IOException(released.Failure.ToString());
        }
    }
}
