using Carrel.Contracts;
using Carrel.Machines.Disks;
using Carrel.Machines.Native;
using Xunit;

namespace Carrel.Machines.Tests.Disks;

public sealed class DiskStoreTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("carrel-disks-").FullName;

    private readonly List<DiskVolume> _volumes = [];

    [Fact]
    public async Task A_new_disk_is_sparse_and_remembers_its_image()
    {
        var store = await StoreAsync(0);

        var disk = (await store.CreateAsync("aaaaaaaa", "digest", 8L << 30)).Value;

        Assert.Equal(8L << 30, new FileInfo(disk.File).Length);
        Assert.InRange(disk.UsedBytes, 1, 96L << 20);
        Assert.Equal(new DiskInfo("digest", 8L << 30, "xfs"), store.Find("aaaaaaaa")!.Info);
        Assert.True(store.Delete("aaaaaaaa"));
        Assert.False(store.Delete("aaaaaaaa"));
        Assert.Empty(store.Ids());
    }

    [Fact]
    public async Task A_disk_that_names_no_file_system_is_of_an_older_version()
    {
        Directory.CreateDirectory(Path.Combine(_root, "disks", "aaaaaaaa"));
        File.WriteAllText(Path.Combine(_root, "disks", "aaaaaaaa", "disk.json"), """{"image":"digest","size_bytes":1073741824}""");

        Assert.Equal(DiskFormat.Ext4, DiskFormat.Of((await StoreAsync(0)).Find("aaaaaaaa")!.Info));
    }

    [Fact]
    public async Task No_disk_is_made_where_the_host_would_run_full()
    {
        var refused = await (await StoreAsync(long.MaxValue)).CreateAsync("aaaaaaaa", "digest", 1L << 30);

        Assert.Equal(ErrorCodes.HostDiskFull, refused.Failure!.Code);
        Assert.Empty((await StoreAsync(0)).Ids());
    }

    [Fact]
    public async Task A_half_made_disk_is_none()
    {
        Directory.CreateDirectory(Path.Combine(_root, "disks", "aaaaaaaa.partial"));

        Assert.Null((await StoreAsync(0)).Find("aaaaaaaa"));
        Assert.Equal(["aaaaaaaa.partial"], (await StoreAsync(0)).Ids());
        Assert.True((await StoreAsync(0)).Delete("aaaaaaaa.partial"));
    }

    [Fact]
    public async Task A_snapshot_takes_the_place_of_a_disk_in_one_step()
    {
        var store = await StoreAsync(0);
        var disk = (await store.CreateAsync("aaaaaaaa", "digest", 1L << 30)).Value;
        await File.WriteAllTextAsync(disk.File, "then");
        var snapshot = store.CreateSnapshot("s-1", disk.Info, file => DiskStore.Clone(disk.File, file));
        await File.WriteAllTextAsync(disk.File, "now");
        Directory.CreateDirectory(disk.Folder + ".partial"); // As a restore that was cut off leaves one.

        store.Restore("aaaaaaaa", snapshot);

        Assert.Equal("then", await File.ReadAllTextAsync(store.Find("aaaaaaaa")!.File));
        Assert.Equal(["aaaaaaaa"], store.Ids());
        Assert.Equal(["s-1"], store.SnapshotIds());
        Assert.True(store.DeleteSnapshot("s-1"));
    }

    [Fact]
    public async Task A_disk_of_an_older_version_is_found_copied_and_replaced()
    {
        var old = Directory.CreateDirectory(Path.Combine(_root, "disks", "aaaaaaaa")).FullName;
        await File.WriteAllTextAsync(Path.Combine(old, "disk.json"), """{"image":"digest","size_bytes":4096}""");
        await File.WriteAllBytesAsync(Path.Combine(old, "disk.img"), Enumerable.Repeat((byte)7, 4096).ToArray());
        var store = await StoreAsync(0);

        var found = store.Find("aaaaaaaa")!;
        var snapshot = store.CreateSnapshot("s-1", found.Info, file => DiskStore.Clone(found.File, file));
        store.Restore("aaaaaaaa", snapshot);

        Assert.False(Directory.Exists(old));
        Assert.Equal(4096, (await File.ReadAllBytesAsync(store.Find("aaaaaaaa")!.File)).Count(value => value == 7));
        Assert.True(store.Delete("aaaaaaaa"));
    }

    [Fact]
    public async Task A_copy_by_contents_writes_what_differs_and_keeps_holes()
    {
        var (source, target) = (Path.Combine(_root, "source"), Path.Combine(_root, "target"));
        using (var file = File.OpenHandle(source, FileMode.Create, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, 64 << 20);
            RandomAccess.Write(file, "one"u8, 0);
            RandomAccess.Write(file, "two"u8, 40 << 20);
        }

        SharedBlocks.CopyDifferences(source, target);
        using (var file = File.OpenHandle(source, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.Write(file, "new"u8, 40 << 20);
        }

        SharedBlocks.CopyDifferences(source, target);

        Assert.Equal(await File.ReadAllBytesAsync(source), await File.ReadAllBytesAsync(target));
        Assert.InRange(FileBlocks.Allocated(target), 1, 4 << 20);
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var volume in _volumes)
        {
            await volume.CloseAsync(idle: true);
            await volume.DisposeAsync();
        }

        Directory.Delete(_root, recursive: true);
    }

    private async Task<DiskStore> StoreAsync(long reserved)
    {
        var folders = new Folders(new MachineOptions { DataFolder = _root, ImageFolder = _root, DeskdFolder = _root, RuntimeFolder = Path.Combine(_root, "run") });
        folders.Create();
        var volume = (await DiskVolume.OpenAsync(folders, reserved, TimeProvider.System)).Value;
        _volumes.Add(volume);
        return new DiskStore(folders, volume);
    }
}
