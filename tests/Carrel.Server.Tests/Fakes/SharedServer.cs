using Xunit;

namespace Carrel.Server.Tests.Fakes;

/// <summary>One server for the tests of a class that change nothing in it.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    internal RunningServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
