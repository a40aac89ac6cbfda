using System.Security.Cryptography;
using Carrel.Machines.Native;
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

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_data, recursive: true);
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), line => line.Contains(_data, StringComparison.Ordinal));
    }

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable)
        ?? throw new InvalidOperationException($"{variable} is not set: run these tests through `./carrel test`.");
}
