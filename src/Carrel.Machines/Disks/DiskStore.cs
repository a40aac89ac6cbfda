using System.Text.Json;
using System.Text.Json.Serialization;
using Carrel.Contracts;
using Carrel.Machines.Native;

namespace Carrel.Machines.Disks;

/// <summary>What stands beside a disk's image file.</summary>
/// <param name="Image">Digest of the base image the disk was begun on.</param>
/// <param name="FileSystem">See <see cref="DiskFormat"/>; null on disks of older versions, which are ext4.</param>
internal sealed record DiskInfo(string Image, long SizeBytes, string? FileSystem = null);

/// <summary>A computer's writable disk, or a snapshot of one: a sparse raw image on the host.</summary>
/// <param name="Direct">Its loop device goes past the page cache of the file.</param>
internal sealed record Disk(string Folder, DiskInfo Info, bool Direct)
{
    internal string File => Path.Combine(Folder, "disk.img");

    /// <summary>Bytes it takes, blocks that it shares with others included.</summary>
    internal long UsedBytes => System.IO.File.Exists(File) ? FileBlocks.Allocated(File) : 0;
}

/// <summary>
/// The disks and snapshots of an installation, <c>disks/&lt;id&gt;/{disk.img, disk.json}</c> and the same below <c>snapshots/</c>. A
/// folder gets its name only when it is whole, so a crash leaves either a disk or a <c>.partial</c> folder that the sweep
/// deletes. Disks of versions without a volume lie in the data folder; nothing new is made there.
/// </summary>
internal sealed class DiskStore(Folders folders, DiskVolume volume)
{
    private const string Partial = ".partial";

    internal IReadOnlyList<string> Ids() => [.. NamesIn(Disks).Concat(NamesIn(folders.Disks)).Distinct(StringComparer.Ordinal)];

    internal IReadOnlyList<string> SnapshotIds() => NamesIn(Snapshots);

    internal Disk? Find(string id) => Read(Path.Combine(Disks, id), direct: true) ?? Read(Path.Combine(folders.Disks, id), direct: false);

    internal Disk? FindSnapshot(string id) => Read(Path.Combine(Snapshots, id), direct: true);

    /// <summary>The disk as it is described now; it may have grown since.</summary>
    internal static Disk Current(Disk disk) => Read(disk.Folder, disk.Direct)!;

    internal async Task<Outcome<Disk>> CreateAsync(string id, string image, long sizeBytes)
    {
        if (await volume.MakeRoomAsync(0).ConfigureAwait(false) is { } full)
        {
            return full;
        }

        var template = await TemplateAsync(sizeBytes).ConfigureAwait(false);
        return template.Succeeded
            ? Make(Path.Combine(Disks, id), new DiskInfo(image, sizeBytes, DiskFormat.Xfs.Name), file => Clone(template.Value, file))
            : template.Failure;
    }

    /// <summary>Makes a disk whose contents <paramref name="fill"/> brings.</summary>
    internal Disk CreateFilled(string id, DiskInfo info, Action<string> fill) => Make(Path.Combine(Disks, id), info, fill);

    internal Disk CreateSnapshot(string id, DiskInfo info, Action<string> fill) => Make(Path.Combine(Snapshots, id), info, fill);

    /// <summary>Puts a copy of a snapshot in the place of a disk that is not mounted: at every moment the old or the new one is there, whole.</summary>
    internal void Restore(string id, Disk snapshot)
    {
        var (target, draft) = (Path.Combine(Disks, id), Path.Combine(Disks, id + Partial));
        Fill(draft, snapshot.Info, file => Clone(snapshot.File, file));
        if (Directory.Exists(target))
        {
            const uint Exchange = 2;
            Errno.Check(Libc.Rename(Libc.AtFdCwd, draft, Libc.AtFdCwd, target, Exchange), $"exchange {draft} and {target}");
            Directory.Delete(draft, recursive: true);
        }
        else
        {
            Directory.Move(draft, target);
        }

        Remove(Path.Combine(folders.Disks, id));
    }

    internal bool Delete(string id)
    {
        var there = Remove(Path.Combine(Disks, id));
        return Remove(Path.Combine(folders.Disks, id)) || there;
    }

    internal bool DeleteSnapshot(string id) => Remove(Path.Combine(Snapshots, id));

    /// <summary>Grows the mounted disk: first its file, then the loop device, then the file system.</summary>
    internal static void Grow(Disk disk, long sizeBytes, string loopDevice, string mountPoint)
    {
        var current = Current(disk).Info;
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

    internal static void Clone(string source, string target)
    {
        if (!SharedBlocks.TryClone(source, target))
        {
            SharedBlocks.CopyDifferences(source, target);
        }
    }

    private string Disks => Path.Combine(volume.Folder, "disks");

    private string Snapshots => Path.Combine(volume.Folder, "snapshots");

    /// <summary>
    /// An empty file system of this size, made once, because sharing its blocks takes no time. It is a clone itself: that drops the blocks
    /// which mkfs allocated for the log without writing them.
    /// </summary>
    private async Task<Outcome<string>> TemplateAsync(long sizeBytes)
    {
        var template = Path.Combine(volume.Folder, "templates", $"xfs1-{sizeBytes >> 20}.img");
        if (File.Exists(template))
        {
            return template;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(template)!);
        var draft = $"{template}.{Path.GetRandomFileName()}"; // Two creates at once make one each; the later replaces the earlier.
        try
        {
            using (var file = File.OpenHandle(draft, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                RandomAccess.SetLength(file, sizeBytes);
            }

            if (await DiskFormat.MakeAsync(draft).ConfigureAwait(false) is { } failure)
            {
                return failure;
            }

            Clone(draft, draft + "c");
            File.Move(draft + "c", template, overwrite: true);
            return template;
        }
        finally
        {
            File.Delete(draft);
            File.Delete(draft + "c");
        }
    }

    private static Disk Make(string folder, DiskInfo info, Action<string> fill)
    {
        var draft = folder + Partial;
        try
        {
            Fill(draft, info, fill);
            Directory.Move(draft, folder);
            return new Disk(folder, info, Direct: true);
        }
        catch
        {
            Remove(draft);
            throw;
        }
    }

    private static void Fill(string draft, DiskInfo info, Action<string> fill)
    {
        Remove(draft);
        Directory.CreateDirectory(draft);
        fill(Path.Combine(draft, "disk.img"));
        WriteInfo(draft, info);
    }

    private static Disk? Read(string folder, bool direct)
    {
        var info = Path.Combine(folder, "disk.json");
        return File.Exists(info) && !folder.EndsWith(Partial, StringComparison.Ordinal)
            ? new Disk(folder, JsonSerializer.Deserialize(File.ReadAllBytes(info), DiskJson.Default.DiskInfo)!, direct)
            : null;
    }

    private static string[] NamesIn(string folder) => !Directory.Exists(folder) ? []
        : [.. Directory.EnumerateDirectories(folder).Select(entry => Path.GetFileName(entry)!)];

    private static bool Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return false;
        }

        // Renamed first: from here on it is no disk any more, whatever happens during the deletion.
        var doomed = folder;
        if (!doomed.EndsWith(Partial, StringComparison.Ordinal))
        {
            doomed += Partial;
            Remove(doomed);
            Directory.Move(folder, doomed);
        }

        Directory.Delete(doomed, recursive: true);
        return true;
    }

    /// <summary>On the disk before the folder gets its name: a power cut must not leave an image without its description.</summary>
    private static void WriteInfo(string folder, DiskInfo info)
    {
        var file = Path.Combine(folder, "disk.json");
        using (var draft = File.Create(file + Partial))
        {
            JsonSerializer.Serialize(draft, info, DiskJson.Default.DiskInfo);
            draft.Flush(flushToDisk: true);
        }

        File.Move(file + Partial, file, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DiskInfo))]
internal sealed partial class DiskJson : JsonSerializerContext;
