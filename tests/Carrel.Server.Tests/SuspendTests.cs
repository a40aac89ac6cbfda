using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class SuspendTests
{
    [Theory]
    [InlineData("resume")]
    [InlineData("start")]
    [InlineData("ensure-running")]
    public async Task A_suspended_computer_stands_still_and_goes_on_as_it_was(string how)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var secrets = (await server.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200).Body;

        var suspended = (await server.PostAsync($"/api/computers/{id}/suspend")).Expect(200);

        Assert.Equal("suspended", suspended.Text("status"));
        Assert.True(suspended.Json.GetProperty("memory_kept").GetBoolean());
        Assert.True(machine.Paused);
        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal("suspended", shown.Text("status"));
        Assert.True(shown.Json.GetProperty("memory_survives_suspend").GetBoolean());
        Assert.False(shown.Json.TryGetProperty("instance_details", out _));
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).ExpectError(409, "not_running", "Resume it first");
        (await server.PostAsync($"/api/computers/{id}/suspend")).ExpectError(409, "already_suspended");
        (await server.SendAsync(HttpMethod.Patch, $"/api/computers/{id}/resize", new { vcpus = 2 })).ExpectError(409, "not_running", "suspended");

        Assert.Equal("running", (await server.PostAsync($"/api/computers/{id}/{how}")).Expect(200).Text("status"));
        Assert.False(machine.Paused);
        Assert.Same(machine, server.World.Machines[machine.Id]);
        Assert.Equal(secrets, (await server.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200).Body);
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/resume")).ExpectError(409, "already_running");
    }

    [Fact]
    public async Task A_suspended_computer_can_be_stopped_restarted_and_deleted()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        (await server.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        Assert.Equal("stopped", await server.StatusAsync(id));
        Assert.False(machine.Paused);
        (await server.PostAsync($"/api/computers/{id}/suspend")).ExpectError(409, "not_running");
        (await server.PostAsync($"/api/computers/{id}/resume")).ExpectError(409, "not_suspended");
        (await server.PostAsync($"/api/computers/{id}/start")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200);
        Assert.Equal("running", await server.StatusAsync(id));
        (await server.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        Assert.Empty(server.World.Machines);
        Assert.Empty(server.World.Disks);
    }

    [Fact]
    public async Task Where_memory_cannot_be_kept_nothing_is_suspended()
    {
        await using var world = new FakeWorld { PauseKeepsMemory = false };
        await using var server = await RunningServer.StartAsync(world);
        var (id, machine) = await server.ComputerAsync();

        (await server.PostAsync($"/api/computers/{id}/suspend")).ExpectError(400, "not_supported", "memory");

        Assert.Equal("running", await server.StatusAsync(id));
        Assert.False(machine.Paused);
        Assert.False((await server.GetAsync($"/api/computers/{id}")).Json.GetProperty("memory_survives_suspend").GetBoolean());
    }

    [Fact]
    public async Task What_cannot_be_held_still_goes_on_and_what_cannot_be_resumed_stays_suspended()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        server.World.Fails = (step, _) => step == "pause" ? new Failure(ErrorCodes.Internal, "it will not freeze") : null;
        (await server.PostAsync($"/api/computers/{id}/suspend")).ExpectError(500, "internal_error", "freeze");
        Assert.Equal("running", await server.StatusAsync(id));
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);

        server.World.Fails = (step, _) => step == "resume" ? new Failure(ErrorCodes.Internal, "it will not thaw") : null;
        (await server.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/resume")).ExpectError(500, "internal_error", "thaw");
        Assert.Equal("suspended", await server.StatusAsync(id));
    }

    [Fact]
    public async Task A_suspended_computer_survives_the_server_but_not_the_end_of_its_machine()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, machine) = await first.ComputerAsync();
        var (other, _) = await first.ComputerAsync("other");
        (await first.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        (await first.PostAsync($"/api/computers/{other}/suspend")).Expect(200);
        await first.KillAsync();
        world.Machines.TryRemove(world.Machines.Values.Single(one => one != machine).Id, out _);

        await using var second = await RunningServer.StartAsync(world, first.Data);

        Assert.Equal("suspended", await second.StatusAsync(id));
        Assert.True(machine.Paused);
        var gone = (await second.GetAsync($"/api/computers/{other}")).Expect(200);
        Assert.Equal("stopped", gone.Text("status"));
        Assert.Contains("gone", gone.Text("status_reason"), StringComparison.Ordinal);
        machine.End(new MachineExit(null, false));
        await second.UntilStatusAsync(id, "stopped");
    }
}
