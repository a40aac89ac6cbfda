using System.Runtime.InteropServices;

namespace Carrel.Machines.Native;

/// <summary>What a mounted file system offers on an open folder of it.</summary>
internal static unsafe class FileSystem
{
    private const nuint Shutdown = 0x8004_587D; // EXT4_IOC_SHUTDOWN is XFS_IOC_GOINGDOWN.
    private const nuint ExtResize = 0x4008_6610;
    private const nuint XfsGeometry = 0x8070_5864;
    private const nuint XfsGrowData = 0x4010_586E;

    private const nuint FreezeFs = 0xC004_5877;
    private const nuint ThawFs = 0xC004_5878;

    internal const int BlockSize = 4096;

    /// <summary>Grows a mounted ext4 to <paramref name="bytes"/>. Wants CAP_SYS_RESOURCE.</summary>
    internal static void GrowExt4(string mountPoint, long bytes)
    {
        using var folder = Fd.Open(mountPoint, Fd.Directory);
        var blocks = (ulong)(bytes / BlockSize);
        if (Libc.Ioctl(folder.Value, ExtResize, (nint)(&blocks)) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw errno == Errno.NotPermitted
                ? new IOException("its disk is an ext4 of an older version, and growing one takes CAP_SYS_RESOURCE, which the server does not have")
                : new NativeException($"grow the ext4 file system at {mountPoint}", errno);
        }
    }

    /// <summary>Grows a mounted XFS to <paramref name="bytes"/>, unless it is as large already. Wants CAP_SYS_ADMIN.</summary>
    internal static void GrowXfs(string mountPoint, long bytes)
    {
        using var folder = Fd.Open(mountPoint, Fd.Directory);
        // struct xfs_fsop_geom_v1: 32-bit words, of which [0] is the block size and [7] the share of inodes; then the data blocks.
        var geometry = stackalloc uint[28];
        Errno.Check(Libc.Ioctl(folder.Value, XfsGeometry, (nint)geometry), $"look at the XFS file system at {mountPoint}");
        var blocks = (ulong)bytes / geometry[0];
        if (blocks <= *(ulong*)(geometry + 8))
        {
            return;
        }

        // struct xfs_growfs_data: the new size, and the share of inodes, which stays.
        var wanted = stackalloc ulong[2] { blocks, geometry[7] };
        Errno.Check(Libc.Ioctl(folder.Value, XfsGrowData, (nint)wanted), $"grow the XFS file system at {mountPoint}");
    }

    /// <summary>Drops everything not yet written: for a disk about to be deleted, so that nothing is written for nothing.</summary>
    internal static void Abandon(string mountPoint)
    {
        const uint NoFlush = 2;
        using var folder = OpenUnlessShutDown(mountPoint);
        if (folder is null)
        {
            return;
        }

        var flags = NoFlush;
        Errno.Check(Libc.Ioctl(folder.Value, Shutdown, (nint)(&flags)), $"shut down the file system at {mountPoint}");
    }

    /// <summary>Writes out what the file system mounted there has not written yet.</summary>
    internal static void Sync(string mountPoint)
    {
        using var folder = Fd.Open(mountPoint, Fd.Directory);
        Errno.Check(Libc.SyncFileSystem(folder.Value), $"write out the file system at {mountPoint}");
    }

    /// <summary>Makes every writer wait and writes all out; what is below is then as after a clean unmount.</summary>
    internal static void Freeze(string mountPoint)
    {
        using var folder = Fd.Open(mountPoint, Fd.Directory);
        Errno.Check(Libc.Ioctl(folder.Value, FreezeFs, 0), $"freeze the file system at {mountPoint}");
    }

    /// <summary>Lets writers go on; fine where nothing is frozen, or the file system was shut down.</summary>
    internal static void Thaw(string mountPoint)
    {
        using var folder = OpenUnlessShutDown(mountPoint);
        if (folder is not null && Libc.Ioctl(folder.Value, ThawFs, 0) < 0 && Marshal.GetLastPInvokeError() is var errno && errno != Errno.Invalid)
        {
            throw new NativeException($"thaw the file system at {mountPoint}", errno);
        }
    }

    // XFS opens nothing any more once it is shut down, which whoever was killed before the unmount has left.
    private static Fd? OpenUnlessShutDown(string mountPoint)
    {
        try
        {
            return Fd.Open(mountPoint, Fd.Directory);
        }
        catch (NativeException shutDown) when (shutDown.Errno == Errno.InputOutput)
        {
            return null;
        }
    }
}
