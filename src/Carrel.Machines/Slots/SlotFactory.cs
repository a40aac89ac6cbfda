using System.IO.Pipes;
using System.Runtime.InteropServices;
using Carrel.Contracts;
using Carrel.Machines.Native;
using Carrel.Machines.Networks;
using Carrel.Machines.Processes;
using Carrel.Machines.Undo;
using Microsoft.Win32.SafeHandles;

namespace Carrel.Machines.Slots;

/// <summary>Makes slots and takes them apart.</summary>
internal sealed class SlotFactory(SlotLeases leases, SlotNetwork network)
{
    internal async Task<Outcome<Slot>> CreateAsync()
    {
        var undo = new UndoStack();
        try
        {
            var slot = leases.Acquire();
            undo.Push($"slot {slot.Number}", () => DestroyAsync(slot));
            Directory.CreateDirectory(slot.Folder);
            if (await MakeNamespacesAsync(slot).ConfigureAwait(false) is { } failure)
            {
                await undo.UnwindAsync().ConfigureAwait(false);
                return failure;
            }

            undo.Keep();
            return slot;
        }
        catch (IOException e)
        {
            await undo.UnwindAsync().ConfigureAwait(false);
            return HostFailure.Of(e);
        }
    }

    /// <summary>Takes a slot apart, whatever of it is there, and gives its number back last.</summary>
    internal async Task DestroyAsync(Slot slot)
    {
        Mounts.Detach(slot.NetworkNamespace);
        Mounts.Detach(slot.UserNamespace);
        if (await network.DisconnectAsync(slot.Number).ConfigureAwait(false) is { } failure)
        {
            // The lease stays, so that nobody gets half a slot; the next sweep tries again.
            throw new IOException(failure.ToString());
        }

        if (Directory.Exists(slot.Folder))
        {
            Directory.Delete(slot.Folder, recursive: true);
        }

        leases.Release(slot);
    }

    // A short-lived process holds the namespaces while they are set up; afterwards their files keep them.
    private async Task<Failure?> MakeNamespacesAsync(Slot slot)
    {
        using var toChild = new AnonymousPipeServerStream(PipeDirection.Out);
        using var fromChild = new AnonymousPipeServerStream(PipeDirection.In);
        using var errors = new SafeFileHandle(Errno.Check(Libc.MemfdCreate("errors", 1), "make a memory file"), ownsHandle: true);
        using var holder = ChildProcess.Start(
            HolderCommand(slot),
            [toChild.ClientSafePipeHandle, fromChild.ClientSafePipeHandle, errors]);
        toChild.DisposeLocalCopyOfClientHandle();
        fromChild.DisposeLocalCopyOfClientHandle();
        try
        {
            // `cat` echoes only once `unshare` has become it, in the new namespaces.
            toChild.WriteByte((byte)'\n');
            var echo = new byte[1];
            if (await fromChild.ReadAsync(echo).ConfigureAwait(false) == 0)
            {
                return new Failure(
                    ErrorCodes.HostNotReady,
                    "The host does not let a user namespace be made.",
                    "Check /proc/sys/user/max_user_namespaces and run `carrel doctor`.");
            }

            foreach (var map in (string[])["uid_map", "gid_map"])
            {
                await File.WriteAllTextAsync($"/proc/{holder.Pid}/{map}", $"0 {slot.RootUid} {Slot.RangeSize}").ConfigureAwait(false);
            }

            Pin(holder.Pid, "user", slot.UserNamespace);
            Pin(holder.Pid, "net", slot.NetworkNamespace);
            return await network.ConnectAsync(slot.Number, holder.Pid).ConfigureAwait(false);
        }
        finally
        {
            holder.Kill();
            holder.Reap();
        }
    }

    // What a guest takes of the kernel's per-user limits (inotify instances and watches, pending signals, message queues) is
    // charged to whoever made its user namespace, too. Made by the host's root, all guests and the host would share one
    // budget, and one guest could use it up; so each namespace is made by the uid of its own root.
    private static string[] HolderCommand(Slot slot) =>
    [
        "setpriv", $"--reuid={slot.RootUid}", $"--regid={slot.RootUid}", "--clear-groups",
        "--inh-caps=+sys_admin", "--ambient-caps=+sys_admin", "unshare", "--user", "--net", "cat",
    ];

    private static void Pin(int pid, string kind, string target)
    {
        using (File.Create(target))
        {
        }

        Mounts.Bind($"/proc/{pid}/ns/{kind}", target);
    }
}
