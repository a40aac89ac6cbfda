using Carrel.Contracts;
using Carrel.Machines.Native;
using Carrel.Machines.Processes;

namespace Carrel.Machines.Disks;

/// <summary>The file system on a disk: how it is made, mounted and grown.</summary>
/// <param name="Name">As the kernel calls it, and as it stands in <c>disk.json</c>.</param>
/// <param name="MountFlags">Beyond no devices and no access times.</param>
internal sealed record DiskFormat(string Name, IReadOnlyList<string> MountFlags)
{
    /// <summary>Of every new disk. It grows while mounted with CAP_SYS_ADMIN alone, and a copy of it mounts beside the original.</summary>
    internal static readonly DiskFormat Xfs = new("xfs", ["discard", "nouuid"]);

    /// <summary>Of disks that older versions made.</summary>
    internal static readonly DiskFormat Ext4 = new("ext4", ["discard"]);

    internal static DiskFormat Of(DiskInfo disk) => disk.FileSystem switch
    {
        null or "ext4" => Ext4,
        "xfs" => Xfs,
        _ => throw new IOException($"a disk's disk.json names the unknown file system {disk.FileSystem}"),
    };

    /// <summary>Makes the file system that new disks have in a sparse file of its size.</summary>
    /// <remarks>
    /// Sectors of 4 KiB fit a loop device over any file, also one that goes past the page cache. Blocks are shared below the disk, by
    /// the file system that holds it, so reflinks and reverse maps inside would cost and bring nothing. Nothing is discarded: a new file is a hole.
    /// </remarks>
    internal static Task<Failure?> MakeAsync(string file) => ProcessRunner.TryAsync(
        ["mkfs.xfs", "-q", "-K", "-s", "size=4096", "-m", "reflink=0,rmapbt=0,finobt=1", "-d", "agcount=4", file]);

    internal void Grow(string mountPoint, long bytes)
    {
        if (this == Xfs)
        {
            FileSystem.GrowXfs(mountPoint, bytes);
        }
        else
        {
            FileSystem.GrowExt4(mountPoint, bytes);
        }
    }
}
