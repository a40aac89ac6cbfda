using Carrel.Contracts;
using Carrel.Machines.Disks;
using Xunit;

namespace Carrel.Machines.Tests.Disks;

public sealed class DiskStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("carrel-disks-").FullName;

    [Fact]
    public async Task A_new_disk_is_sparse_and_remembers_its_image()
    {
        var store = Store(0);

        var disk = (await store.CreateAsync("aaaaaaaa", "digest", 8L << 30)).Value;

        Assert.Equal(8L << 30, new FileInfo(disk.File).Length);
        Assert.InRange(DiskStore.UsedBytes(disk), 1, 96L << 20);
        Assert.Equal(new DiskInfo("digest", 8L << 30, "xfs"), store.Find("aaaaaaaa")!.Info);
        Assert.True(store.Delete("aaaaaaaa"));
        Assert.False(store.Delete("aaaaaaaa"));
        Assert.Empty(store.Ids());
    }

    [Fact]
    public void A_disk_that_names_no_file_system_is_of_an_older_version()
    {
        Directory.CreateDirectory(Path.Combine(_root, "disks", "aaaaaaaa"));
        File.WriteAllText(Path.Combine(_root, "disks", "aaaaaaaa", "disk.json"), """{"image":"digest","size_bytes":1073741824}""");

        Assert.Equal(DiskFormat.Ext4, DiskFormat.Of(Store(0).Find("aaaaaaaa")!.Info));
    }

    [Fact]
    public async Task No_disk_is_made_where_the_host_would_run_full()
    {
        var refused = await Store(long.MaxValue).CreateAsync("aaaaaaaa", "digest", 1L << 30);

        Assert.Equal(ErrorCodes.HostDiskFull, refused.Failure!.Code);
        Assert.Empty(Store(0).Ids());
    }

    [Fact]
    public void A_half_made_disk_is_none()
    {
        Directory.CreateDirectory(Path.Combine(_root, "disks", "aaaaaaaa.partial"));

        Assert.Null(Store(0).Find("aaaaaaaa"));
        Assert.Equal(["aaaaaaaa.partial"], Store(0).Ids());
        Assert.True(Store(0).Delete("aaaaaaaa.partial"));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private DiskStore Store(long reserved) => new(
        new Folders(new MachineOptions { DataFolder = _root, ImageFolder = _root, DeskdFolder = _root, RuntimeFolder = _root }), reserved);
}
