using System.Security.Cryptography;
using Carrel.Machines.Native;
using Carrel.Machines.Processes;
using Xunit;

namespace Carrel.Machines.Tests.Conformance;

public sealed class ContainerConformance : MachineHostConformance
{
    private readonly string _data = $"/var/tmp/carrel-test/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";

    protected override async Task<IMachineHost> OpenAsync() => (await MachineHosts.OpenContainersAsync(
        new MachineOptions { DataFolder = _data, ImageFolder = Required("CARREL_TEST_IMAGES"), DeskdFolder = Required("CARREL_TEST_DESKD"), SpareSlots = 1 },
        TimeProvider.System)).Value;

    [Fact]
    public async Task A_computer_left_frozen_by_a_killed_server_goes_on_with_the_next()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee20"), Desktop, default)).Value;
        await BashAsync(machine, "(setsid sh -c 'while :; do date >> /root/ticks; sleep 0.05; done' > /dev/null 2>&1 &)");
        FileSystem.Freeze(new Folders(new MachineOptions { DataFolder = _data, ImageFolder = _data, DeskdFolder = _data }).Machine("c0ffee20").Disk);

        await ReopenAsync();
        machine = Assert.Single(await Host.RecoverAsync(new HashSet<string> { "c0ffee20" }, new HashSet<string>(), default));

        Assert.Equal("written\n", await BashAsync(machine, "echo written > /root/file; cat /root/file"));
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task A_computer_whose_deletion_was_cut_off_is_gone_with_the_next()
    {
        await Host.LaunchAsync(Spec("c0ffee24"), Desktop, default);
        var folder = new Folders(new MachineOptions { DataFolder = _data, ImageFolder = _data, DeskdFolder = _data }).Machine("c0ffee24");
        FileSystem.Abandon(folder.Disk);
        FileSystem.Abandon(folder.Disk);

        await ReopenAsync();
        Assert.Empty(await Host.RecoverAsync(new HashSet<string>(), new HashSet<string>(), default));

        Assert.False(Directory.Exists(folder.Path));
    }

    [Fact]
    public async Task A_disk_of_an_older_version_goes_on_and_is_copied_while_it_runs()
    {
        var model = (await Host.LaunchAsync(Spec("c0ffee21"), Desktop, default)).Value;
        var image = (await Host.TakeSnapshotAsync("c0ffee21", "model", default)).Value.Image;
        await model.DestroyAsync(default);
        var old = Directory.CreateDirectory(Path.Combine(_data, "disks", "c0ffee22")).FullName;
        await File.WriteAllTextAsync(Path.Combine(old, "disk.json"), $$"""{"image":"{{image}}","size_bytes":{{2L << 30}}}""");
        Assert.Null(await ProcessRunner.TryAsync(["truncate", "-s", "2G", Path.Combine(old, "disk.img")]));
        Assert.Null(await ProcessRunner.TryAsync(["mkfs.ext4", "-q", "-F", "-m", "0", Path.Combine(old, "disk.img")]));

        var machine = (await Host.LaunchAsync(Spec("c0ffee22"), Desktop, default)).Value;
        await BashAsync(machine, "head -c 20M /dev/urandom > /root/data; (setsid sh -c 'while :; do date >> /root/ticks; sleep 0.01; done' > /dev/null 2>&1 &)");
        var hash = await BashAsync(machine, "sha256sum < /root/data; stat -f -c %T /");
        var copied = await Host.CloneDiskAsync("c0ffee22", "c0ffee23", default);
        Assert.True(copied.Succeeded, copied.Failure?.ToString());
        var clone = (await Host.LaunchAsync(Spec("c0ffee23"), Desktop, default)).Value;

        Assert.Equal(hash, await BashAsync(clone, "sha256sum < /root/data; stat -f -c %T /"));
        await clone.DestroyAsync(default);
        await machine.DestroyAsync(default);
        Assert.False(Directory.Exists(old));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_data, recursive: true);
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), line => line.Contains(_data, StringComparison.Ordinal));
    }

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable)
        ?? throw new InvalidOperationException($"{variable} is not set: run these tests through `./carrel test`.");
}
