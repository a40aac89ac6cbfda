using Carrel.Machines.Disks;
using Carrel.Machines.Images;
using Carrel.Machines.Native;
using Carrel.Machines.Slots;
using Carrel.Machines.Undo;

namespace Carrel.Machines.Container;

/// <summary>
/// Assembles a machine's root: an overlay of the image (shared by all, read-only) and the computer's own disk. Both are
/// seen through ID-mapped mounts, so on disk every id is that of the guest and no file is ever chowned.
/// </summary>
internal static class RootFileSystem
{
    /// <summary>Mounts the root at the machine's folder; returns the loop device under the disk.</summary>
    internal static string Mount(MachineFolder folder, BaseImage image, Disk disk, Slot slot, UndoStack undo, TimeProvider time)
    {
        foreach (var point in (string[])[folder.Lower, folder.Disk, folder.RootFs])
        {
            Directory.CreateDirectory(point);
        }

        using var userNamespace = slot.OpenUserNamespace();
        var (device, handle) = LoopDevice.Attach(disk.File, disk.Direct);
        using (handle)
        {
            var format = DiskFormat.Of(disk.Info);
            Mounts.AttachDisk(device, format.Name, format.MountFlags, userNamespace, folder.Disk);
        }

        undo.Push("disk", () => Mounts.UnmountAsync(folder.Disk, time));
        MakeLayerFolders(folder, slot);
        Mounts.AttachIdMapped(image.RootFs, userNamespace, folder.Lower);
        try
        {
            Mounts.AttachOverlay(folder.Lower, $"{folder.Disk}/upper", $"{folder.Disk}/work", folder.RootFs, slot.RootUid);
        }
        finally
        {
            // The overlay holds its own reference: the path is not needed any more.
            Mounts.Detach(folder.Lower);
        }

        undo.Push("root file system", () => Mounts.UnmountAsync(folder.RootFs, time));
        return device;
    }

    private static void MakeLayerFolders(MachineFolder folder, Slot slot)
    {
        using var root = Fd.Open(folder.Disk, Fd.Directory | Fd.NoFollow);
        using var identity = FsIdentity.Assume(slot.RootUid);
        foreach (var name in (string[])["upper", "work"])
        {
            if (Libc.MakeDirectoryAt(root.Value, name, 0x1ED) < 0)
            {
                var errno = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
                if (errno != Errno.Exists)
                {
                    throw new NativeException($"make {name} on the disk", errno);
                }
            }
        }
    }
}
