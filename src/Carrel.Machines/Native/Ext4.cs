namespace Carrel.Machines.Native;

/// <summary>What ext4 offers on an open file or folder of a mounted file system.</summary>
internal static unsafe class Ext4
{
    private const nuint ResizeFs = 0x4008_6610;
    private const nuint Shutdown = 0x8004_587D;

    internal const int BlockSize = 4096;

    /// <summary>Grows the mounted file system to <paramref name="bytes"/>.</summary>
    internal static void Grow(string mountPoint, long bytes)
    {
        using var folder = Fd.Open(mountPoint, Fd.Directory);
        var blocks = (ulong)(bytes / BlockSize);
        Errno.Check(Libc.Ioctl(folder.Value, ResizeFs, (nint)(&blocks)), $"grow the file system at {mountPoint}");
    }

    /// <summary>Drops everything not yet written: for a disk about to be deleted, so that nothing is written for nothing.</summary>
    internal static void Abandon(string mountPoint)
    {
        const uint NoFlush = 2;
        using var folder = Fd.Open(mountPoint, Fd.Directory);
        var flags = NoFlush;
        Errno.Check(Libc.Ioctl(folder.Value, Shutdown, (nint)(&flags)), $"shut down the file system at {mountPoint}");
    }
}
