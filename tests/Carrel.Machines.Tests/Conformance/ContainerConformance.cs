using System.Security.Cryptography;
using Xunit;

namespace Carrel.Machines.Tests.Conformance;

public sealed class ContainerConformance : MachineHostConformance
{
    private readonly string _data = $"/var/tmp/carrel-test/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";

    protected override async Task<IMachineHost> OpenAsync() => (await MachineHosts.OpenContainersAsync(
        new MachineOptions { DataFolder = _data, ImageFolder = Required("CARREL_TEST_IMAGES"), DeskdFolder = Required("CARREL_TEST_DESKD"), SpareSlots = 1 },
        TimeProvider.System)).Value;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_data, recursive: true);
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), line => line.Contains(_data, StringComparison.Ordinal));
    }

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable)
        ?? throw new InvalidOperationException($"{variable} is not set: run these tests through `./carrel test`.");
}
