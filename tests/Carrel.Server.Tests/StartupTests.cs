using System.Net;
using System.Net.Sockets;
using Carrel.Server.Hosting;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class StartupTests
{
    [Fact]
    public async Task A_taken_address_is_told_from_other_failures()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}");

        var failure = await Assert.ThrowsAsync<IOException>(() => RunningServer.StartAsync(change: settings => settings with { Listen = address }));

        Assert.IsType<Microsoft.AspNetCore.Connections.AddressInUseException>(failure.InnerException);
    }

    [Fact]
    public async Task Migrations_are_applied_once()
    {
        await using var server = await RunningServer.StartAsync();

        Assert.Equal(0, (await Migrations.ApplyAsync(server.Get<Database>(), TimeProvider.System, NullLogger.Instance)).Value);
        Assert.Equal(Enumerable.Range(1, Migrations.All().Count).Select(number => (long)number), Migrations.All().Select(migration => migration.Number));
    }

    [Fact]
    public async Task A_lost_admin_key_is_made_again()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        await first.StopAsync();
        File.Delete(Path.Combine(first.Data, "admin.key"));

        await using var second = await RunningServer.StartAsync(world, first.Data);

        Assert.NotEqual(first.Key, second.Key);
        (await second.GetAsync("/api/workspaces")).Expect(200);
    }

    [Fact]
    public void A_sealed_secret_opens_under_its_own_key_only()
    {
        var box = new SecretBox(new byte[32]);
        var sealedBox = box.Seal("hunter2");

        Assert.Equal("hunter2", box.Open(sealedBox));
        Assert.NotEqual(sealedBox, box.Seal("hunter2"));
        Assert.DoesNotContain("hunter2", sealedBox, StringComparison.Ordinal);
        Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() => new SecretBox(Enumerable.Repeat((byte)1, 32).ToArray()).Open(sealedBox));
    }

    [Fact]
    public void A_data_folder_that_cannot_be_made_is_refused_with_the_reason()
    {
        var refused = DataFolder.Open("/proc/nowhere");

        Assert.Contains("/proc/nowhere", refused.Failure!.Message, StringComparison.Ordinal);
    }
}
