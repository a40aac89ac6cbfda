using Carrel.Contracts;
using Carrel.Machines.Disks;
using Carrel.Machines.Native;
using Xunit;

namespace Carrel.Machines.Tests.Disks;

public sealed class PoolVolumeTests : IAsyncLifetime
{
    private const long GiB = 1L << 30;
    private readonly string _root = Directory.CreateTempSubdirectory("carrel-pool-").FullName;
    private readonly Folders _folders;

    public PoolVolumeTests()
    {
        _folders = new Folders(new MachineOptions { DataFolder = _root, ImageFolder = _root, DeskdFolder = _root, RuntimeFolder = Path.Combine(_root, "run") });
        _folders.Create();
    }

    [Fact]
    public async Task It_grows_before_it_is_full_and_is_all_there()
    {
        await using var pool = await OpenAsync();
        Assert.True(SharedBlocks.Supported(pool.Folder));
        var before = DiskVolume.Free(pool.Folder);

        Assert.Null(await pool.MakeRoomAsync(before));

        Assert.True(DiskVolume.Free(pool.Folder) >= before + GiB);
        Assert.InRange(FileBlocks.Allocated(_folders.PoolFile), new FileInfo(_folders.PoolFile).Length, long.MaxValue);
        await pool.CloseAsync(idle: true);
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_server_that_was_killed_or_ended()
    {
        var killed = await OpenAsync();
        await File.WriteAllTextAsync(Path.Combine(killed.Folder, "note"), "kept");
        // Killed while it grew: the file has grown, nothing else has.
        using (var file = File.OpenHandle(_folders.PoolFile, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, RandomAccess.GetLength(file) + GiB);
        }

        var free = DiskVolume.Free(killed.Folder);
        await using var next = await OpenAsync();
        Assert.True(DiskVolume.Free(next.Folder) > free + (GiB / 2));
        Assert.Single(Mounts.Below(_folders.Pool));
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(next.Folder, "note")));
        await next.CloseAsync(idle: true);
        await killed.DisposeAsync();
        Assert.Empty(Mounts.Below(_folders.Pool));

        await using var third = await OpenAsync();
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(third.Folder, "note")));
        await third.CloseAsync(idle: true);
    }

    [Fact]
    public async Task The_pool_of_a_data_folder_that_was_made_anew_is_not_taken_for_its_own()
    {
        var old = await OpenAsync();
        await File.WriteAllTextAsync(Path.Combine(old.Folder, "note"), "of another time");
        File.Delete(_folders.PoolFile);

        await using var pool = await OpenAsync();

        Assert.False(File.Exists(Path.Combine(pool.Folder, "note")));
        await pool.CloseAsync(idle: true);
        await old.DisposeAsync();
    }

    [Fact]
    public async Task A_host_without_room_has_none_for_disks_but_a_server()
    {
        await using var pool = new PoolVolume(_folders, long.MaxValue / 2, TimeProvider.System);

        Assert.Null(await pool.OpenAsync());

        Assert.Equal(ErrorCodes.HostDiskFull, (await pool.MakeRoomAsync(0))!.Code);
        Assert.Empty(Directory.EnumerateFiles(_root, "pool.img*"));
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await PoolVolume.UnmountAsync(_folders, TimeProvider.System);
        Directory.Delete(_root, recursive: true);
    }

    private async Task<PoolVolume> OpenAsync()
    {
        var pool = new PoolVolume(_folders, 0, TimeProvider.System);
        Assert.Null(await pool.OpenAsync());
        return pool;
    }
}
