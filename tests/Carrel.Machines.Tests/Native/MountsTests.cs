using Carrel.Machines.Native;
using Carrel.Machines.Processes;
using Xunit;

namespace Carrel.Machines.Tests.Native;

public sealed class MountsTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("carrel-mounts-").FullName;

    public async ValueTask InitializeAsync() => Assert.Null(await ProcessRunner.TryAsync(["mount", "-t", "tmpfs", "none", _folder]));

    public ValueTask DisposeAsync()
    {
        Mounts.Detach(_folder);
        Directory.Delete(_folder);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_mount_that_is_busy_for_a_moment_is_unmounted_all_the_same()
    {
        var held = File.Create(Path.Combine(_folder, "held"));
        var unmounting = Mounts.UnmountAsync(_folder, TimeProvider.System, TimeSpan.FromMinutes(1));
        Assert.Contains(_folder, Mounts.Below(_folder));

        await held.DisposeAsync();
        await unmounting;

        Assert.Empty(Mounts.Below(_folder));
    }

    [Fact]
    public async Task A_mount_that_stays_busy_is_told()
    {
        await using var held = File.Create(Path.Combine(_folder, "held"));

        var busy = await Assert.ThrowsAsync<NativeException>(() => Mounts.UnmountAsync(_folder, TimeProvider.System, TimeSpan.FromMilliseconds(20)));

        Assert.Equal(Errno.Busy, busy.Errno);
        Assert.Contains(_folder, Mounts.Below(_folder));
    }
}
