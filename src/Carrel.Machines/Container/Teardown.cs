using Carrel.Contracts;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Native;
using Carrel.Machines.Slots;

namespace Carrel.Machines.Container;

/// <summary>Gives back what a machine holds on the host, whichever of it is there.</summary>
internal sealed class Teardown(Folders folders, SlotLeases leases, SlotFactory factory, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    internal Task ReleaseSlotAsync(Slot slot) => factory.DestroyAsync(slot);

    /// <summary>Ends every process of a machine whose first process may or may not have been started.</summary>
    internal async Task KillAsync(string id)
    {
        var cgroup = new Cgroup(folders.CgroupOf(id));
        cgroup.ThawIfFrozen();
        foreach (var pid in cgroup.Members())
        {
            var pidfd = Libc.PidfdOpen(pid);
            if (pidfd >= 0)
            {
                using var process = new Fd(pidfd);
                _ = Libc.PidfdSendSignal(pidfd, 9);
            }
        }

        await RemoveCgroupAsync(cgroup, time).ConfigureAwait(false);
        DeleteRuncState(id);
    }

    /// <summary>Releases all a machine holds, after its processes have ended. Its disk file stays.</summary>
    /// <param name="keepData">False when the disk is about to be deleted: then nothing is flushed to it.</param>
    internal async Task<Outcome<bool>> ReleaseAsync(string id, bool keepData)
    {
        var folder = folders.Machine(id);
        try
        {
            await KillAsync(id).ConfigureAwait(false);
            CpuPlacement.Balance();
            await ReleaseMountsAsync(folder, keepData).ConfigureAwait(false);
            var slot = MachineState.Load(folder)?.Slot;
            if (slot is { } number && leases.Mine().FirstOrDefault(mine => mine.Number == number) is { } mine)
            {
                await factory.DestroyAsync(mine).ConfigureAwait(false);
            }

            if (Directory.Exists(folder.Path))
            {
                Directory.Delete(folder.Path, recursive: true);
            }

            return true;
        }
        catch (NativeException e)
        {
            return HostFailure.Of(e);
        }
        catch (IOException e)
        {
            return new Failure(ErrorCodes.Internal, $"Machine {id} could not be released: {e.Message}", "The next start of the server tries again.");
        }
    }

    private async Task ReleaseMountsAsync(MachineFolder folder, bool keepData)
    {
        var mounted = Mounts.Below(folder.Path);
        if (mounted.Contains(folder.Disk))
        {
            FileSystem.Thaw(folder.Disk); // A server that was killed while it copied the disk left it frozen.
        }

        if (!keepData && mounted.Contains(folder.Disk))
        {
            FileSystem.Abandon(folder.Disk);
        }

        foreach (var point in mounted)
        {
            // Not detached lazily: a disk that is still busy must not look stopped.
            await Mounts.UnmountAsync(point, time).ConfigureAwait(false);
        }
    }

    // A process that was killed leaves its cgroup a moment after it has ended, and version 1 offers no event for it.
    internal static async Task RemoveCgroupAsync(Cgroup cgroup, TimeProvider time)
    {
        var started = time.GetTimestamp();
        for (var wait = 1; ; wait = Math.Min(wait * 2, 50))
        {
            try
            {
                cgroup.Remove();
                return;
            }
            catch (NativeException e) when (e.Errno == Errno.Busy && time.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(wait), time).ConfigureAwait(false);
            }
        }
    }

    // What `runc delete` would do, without its process and its 100 ms: cgroups are gone already, the rest is this folder.
    private void DeleteRuncState(string id)
    {
        var state = Path.Combine(folders.Runc, id);
        if (Directory.Exists(state))
        {
            Directory.Delete(state, recursive: true);
        }
    }
}
