using Carrel.Contracts;
using Carrel.Machines.Native;

namespace Carrel.Machines.Disks;

/// <summary>Where an installation keeps disks and snapshots: a place whose files can share blocks.</summary>
internal abstract class DiskVolume : IAsyncDisposable
{
    /// <summary>The folder that holds <c>disks/</c>, <c>snapshots/</c> and <c>templates/</c>.</summary>
    internal abstract string Folder { get; }

    /// <summary>Makes sure that so many bytes can be written, with a margin for what computers write meanwhile.</summary>
    internal abstract Task<Failure?> MakeRoomAsync(long bytes);

    /// <param name="idle">No machine runs, so nothing needs the volume until the next start.</param>
    internal abstract Task CloseAsync(bool idle);

    public abstract ValueTask DisposeAsync();

    /// <summary>The data folder itself where its file system can share blocks and no pool was begun; else the pool in it.</summary>
    internal static async Task<Outcome<DiskVolume>> OpenAsync(Folders folders, long reservedBytes, TimeProvider time)
    {
        if (!File.Exists(folders.PoolFile) && SharedBlocks.Supported(folders.Data))
        {
            return new DataFolderVolume(folders, reservedBytes);
        }

        var pool = new PoolVolume(folders, reservedBytes, time);
        return await pool.OpenAsync().ConfigureAwait(false) is { } failure ? failure : pool;
    }

    internal static long Free(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private protected static Failure Full(string folder, long free, long reserved) => new(
        ErrorCodes.HostDiskFull,
        $"The host has {free >> 20} MiB left under {folder}, and keeps {reserved >> 20} MiB of it free.",
        "Delete computers or snapshots, or free disk space on the host.");
}

/// <summary>The data folder on XFS or btrfs.</summary>
internal sealed class DataFolderVolume(Folders folders, long reservedBytes) : DiskVolume
{
    internal override string Folder => folders.Data;

    internal override Task<Failure?> MakeRoomAsync(long bytes)
    {
        var free = Free(Folder);
        return Task.FromResult(free - bytes < reservedBytes ? Full(Folder, free, reservedBytes) : null);
    }

    internal override Task CloseAsync(bool idle) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => default;
}
