using Carrel.Testbed;
using Xunit;

[assembly: AssemblyFixture(typeof(Carrel.EndToEnd.Harness.SharedInstallation))]

namespace Carrel.EndToEnd.Harness;

/// <summary>One server for all tests that do not disturb it. Tests make their own workspaces and computers in it.</summary>
public sealed class SharedInstallation : IAsyncLifetime
{
    private Installation? _installation;

    public Installation Installation => _installation!;

    public Api Api => Installation.Api;

    public async ValueTask InitializeAsync() => _installation = await Installation.StartNewAsync();

    public async ValueTask DisposeAsync()
    {
        if (_installation is not null)
        {
            await _installation.DisposeAsync();
        }
    }
}

/// <summary>One computer shared by the tests of a class that only look or act on their own windows and files.</summary>
public sealed class SharedComputer(SharedInstallation shared) : IAsyncLifetime
{
    private Computer? _computer;

    public Computer Computer => _computer!;

    public Installation Installation => shared.Installation;

    public Api Api => shared.Api;

    public async ValueTask InitializeAsync() => _computer = await shared.Api.NewComputerAsync();

    public async ValueTask DisposeAsync()
    {
        if (_computer is not null)
        {
            await shared.Api.DeleteAsync(_computer.Path);
        }
    }
}
