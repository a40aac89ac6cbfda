using System.Text.Json;
using System.Text.Json.Serialization;
using Carrel.Contracts;
using Carrel.Machines.Native;

namespace Carrel.Machines.Disks;

/// <summary>What stands beside a disk's image file.</summary>
/// <param name="Image">Digest of the base image the disk was begun on.</param>
/// <param name="FileSystem">See <see cref="DiskFormat"/>; null on disks of older versions, which are ext4.</param>
internal sealed record DiskInfo(string Image, long SizeBytes, string? FileSystem = null);

/// <summary>A computer's writable disk: a sparse raw image on the host.</summary>
internal sealed record Disk(string Folder, DiskInfo Info)
{
    internal string File => Path.Combine(Folder, "disk.img");
}

/// <summary>
/// The disks of an installation, <c>disks/&lt;id&gt;/{disk.img, disk.json}</c>. The folder gets its name only when it is
/// whole, so a crash leaves either a disk or a <c>.partial</c> folder that the sweep deletes.
/// </summary>
internal sealed class DiskStore(Folders folders, long reservedBytes)
{
    internal IReadOnlyList<string> Ids() => !Directory.Exists(folders.Disks) ? []
        : [.. Directory.EnumerateDirectories(folders.Disks).Select(folder => Path.GetFileName(folder)!)];

    internal Disk? Find(string id)
    {
        var info = Path.Combine(folders.Disk(id), "disk.json");
        return File.Exists(info)
            ? new Disk(folders.Disk(id), JsonSerializer.Deserialize(File.ReadAllBytes(info), DiskJson.Default.DiskInfo)!)
            : null;
    }

    internal async Task<Outcome<Disk>> CreateAsync(string id, string image, long sizeBytes)
    {
        Directory.CreateDirectory(folders.Disks);
        var free = new DriveInfo(folders.Disks).AvailableFreeSpace;
        if (free < reservedBytes)
        {
            return new Failure(
                ErrorCodes.HostDiskFull,
                $"The host has {free >> 20} MiB left under {folders.Disks}, less than the {reservedBytes >> 20} MiB it keeps free.",
                "Delete computers or free disk space on the host.");
        }

        var partial = folders.Disk(id) + ".partial";
        Directory.CreateDirectory(partial);
        var disk = new Disk(partial, new DiskInfo(image, sizeBytes, DiskFormat.Xfs.Name));
        using (var file = File.OpenHandle(disk.File, FileMode.Create, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, sizeBytes);
        }

        if (await DiskFormat.MakeAsync(disk.File).ConfigureAwait(false) is { } failure)
        {
            Directory.Delete(partial, recursive: true);
            return failure;
        }

        WriteInfo(partial, disk.Info);
        Directory.Move(partial, folders.Disk(id));
        return disk with { Folder = folders.Disk(id) };
    }

    internal bool Delete(string id)
    {
        if (!Directory.Exists(folders.Disk(id)))
        {
            return false;
        }

        // Renamed first: from here on it is no disk any more, whatever happens during the deletion.
        var doomed = folders.Disk(id);
        if (!doomed.EndsWith(".partial", StringComparison.Ordinal))
        {
            doomed += ".partial";
            Directory.Move(folders.Disk(id), doomed);
        }

        Directory.Delete(doomed, recursive: true);
        return true;
    }

    /// <summary>Grows the mounted disk: first its file, then the loop device, then the file system.</summary>
    internal void Grow(Disk disk, long sizeBytes, string loopDevice, string mountPoint)
    {
        var current = Find(Path.GetFileName(disk.Folder))!.Info;
        if (sizeBytes < current.SizeBytes)
        {
            throw new IOException($"a disk cannot shrink from {current.SizeBytes >> 30} to {sizeBytes >> 30} GiB");
        }

        using (var file = File.OpenHandle(disk.File, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, sizeBytes);
        }

        using (var device = Fd.Open(loopDevice, Fd.ReadWrite))
        {
            LoopDevice.Grown(device);
        }

        DiskFormat.Of(current).Grow(mountPoint, sizeBytes);
        WriteInfo(disk.Folder, current with { SizeBytes = sizeBytes });
    }

    private static void WriteInfo(string folder, DiskInfo info)
    {
        var file = Path.Combine(folder, "disk.json");
        File.WriteAllBytes(file + ".partial", JsonSerializer.SerializeToUtf8Bytes(info, DiskJson.Default.DiskInfo));
        File.Move(file + ".partial", file, overwrite: true);
    }

    /// <summary>Bytes the disk takes on the host.</summary>
    internal static long UsedBytes(Disk disk) => File.Exists(disk.File) ? FileBlocks.Allocated(disk.File) : 0;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DiskInfo))]
internal sealed partial class DiskJson : JsonSerializerContext;
