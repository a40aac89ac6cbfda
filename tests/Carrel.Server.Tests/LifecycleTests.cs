using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class LifecycleTests
{
    [Fact]
    public async Task A_stopped_computer_keeps_its_disk_and_starts_again_with_new_secrets()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var before = (await server.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200);

        Assert.Equal("stopped", (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200).Text("status"));
        Assert.Empty(server.World.Machines);
        Assert.Contains(machine.Id, server.World.Disks.Keys);
        Assert.Equal("stopped", await server.StatusAsync(id));
        (await server.GetAsync($"/api/computers/{id}/vnc-password")).ExpectError(409, "not_running");

        Assert.Equal("running", (await server.PostAsync($"/api/computers/{id}/start", new { })).Expect(200).Text("status"));
        var after = (await server.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200);
        Assert.NotEqual(before.Text("password"), after.Text("password"));
        Assert.NotEqual(before.Text("desktop_api_token"), after.Text("desktop_api_token"));
        Assert.Equal(server.World.Machines[machine.Id].Identity!.Token, after.Text("desktop_api_token"));
        Assert.Equal(machine.Identity!.MachineId, server.World.Machines[machine.Id].Identity!.MachineId);
    }

    [Fact]
    public async Task A_restart_is_a_new_machine_on_the_same_disk()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        Assert.Equal("running", (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200).Text("status"));

        Assert.NotSame(machine, server.World.Machines[machine.Id]);
        Assert.True(machine.Completion.IsCompleted);
        Assert.NotEqual(machine.Identity!.VncPassword, server.World.Machines[machine.Id].Identity!.VncPassword);
        Assert.DoesNotContain(server.World.Steps, step => step.Step is "destroy" or "disk");
    }

    [Fact]
    public async Task What_is_already_so_is_409_and_says_so()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();

        (await server.PostAsync($"/api/computers/{id}/start")).ExpectError(409, "already_running");
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/stop")).ExpectError(409, "already_stopped");
        (await server.PostAsync($"/api/computers/{id}/restart")).ExpectError(409, "not_running", "stopped");
    }

    [Fact]
    public async Task Ensure_running_starts_what_is_stopped_and_leaves_what_runs()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        (await server.PostAsync($"/api/computers/{id}/ensure-running")).Expect(200);
        Assert.Same(machine, server.World.Machines[machine.Id]);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        var ensured = (await server.PostAsync($"/api/computers/{id}/ensure-running", new { })).Expect(200);

        Assert.Equal("running", ensured.Text("status"));
        Assert.True(ensured.Json.GetProperty("instance_details").TryGetProperty("publicHost", out _));
    }

    [Fact]
    public async Task Ensure_running_waits_for_a_start_under_way()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        var gate = server.World.HoldAt("launch");
        var start = server.PostAsync($"/api/computers/{id}/start");
        await gate.Reached;

        var ensure = Task.WhenAll(server.PostAsync($"/api/computers/{id}/ensure-running"), server.PostAsync($"/api/computers/{id}/ensure-running"));
        gate.Open();

        (await start).Expect(200);
        Assert.All(await ensure, answer => Assert.Equal("running", answer.Expect(200).Text("status")));
        Assert.Equal(2, server.World.Steps.Count(step => step.Step == "launch"));
    }

    [Fact]
    public async Task During_a_transition_every_other_command_is_busy_at_once()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var gate = server.World.HoldAt("stop");
        var stop = server.PostAsync($"/api/computers/{id}/stop");
        await gate.Reached;

        foreach (var command in new[] { "start", "stop", "restart" })
        {
            var busy = (await server.PostAsync($"/api/computers/{id}/{command}")).ExpectError(409, "busy", "stopping");
            Assert.NotNull(busy.Headers.RetryAfter);
        }

        (await server.DeleteAsync($"/api/computers/{id}")).ExpectError(409, "busy", "stopping");
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).ExpectError(409, "not_running", "stopping");
        Assert.Equal("stopping", await server.StatusAsync(id));
        var ensured = server.PostAsync($"/api/computers/{id}/ensure-running");
        gate.Open();
        (await stop).Expect(200);
        Assert.Equal("running", (await ensured).Expect(200).Text("status"));
    }

    [Fact]
    public async Task Of_many_stops_at_once_one_does_it()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(index => server.PostAsync($"/api/computers/{id}/{(index % 2 == 0 ? "stop" : "restart")}")));

        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 409, answer.Body));
        Assert.Contains(answers, answer => answer.Status == 200);
        Assert.Equal(await server.StatusAsync(id) == "running" ? 1 : 0, server.World.Machines.Count);
    }

    [Fact]
    public async Task A_delete_takes_the_machine_and_the_disk_and_is_404_after()
    {
        await using var server = await RunningServer.StartAsync();
        var (running, _) = await server.ComputerAsync("a");
        var (stopped, _) = await server.ComputerAsync("b");
        (await server.PostAsync($"/api/computers/{stopped}/stop")).Expect(200);

        foreach (var id in new[] { running, stopped })
        {
            Assert.True((await server.DeleteAsync($"/api/computers/{id}")).Expect(200).Json.GetProperty("success").GetBoolean());
            (await server.GetAsync($"/api/computers/{id}")).ExpectError(404, "not_found");
            (await server.DeleteAsync($"/api/computers/{id}")).ExpectError(404, "not_found");
        }

        Assert.Empty(server.World.Machines);
        Assert.Empty(server.World.Disks);
        Assert.Empty(await server.Get<ComputerStore>().AllAsync());
    }

    [Fact]
    public async Task Async_answers_with_an_operation_to_ask_after()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var gate = server.World.HoldAt("stop");

        var accepted = (await server.PostAsync($"/api/computers/{id}/stop?async=true")).Expect(202);
        Assert.Equal("stopping", accepted.Text("status"));
        var path = new Uri(accepted.Text("operation_url")).AbsolutePath;
        var under = (await server.GetAsync(path)).Expect(200);
        Assert.Equal(("running", "stop", id), (under.Text("status"), under.Text("kind"), under.Text("desktop_id")));
        gate.Open();
        await server.Get<ComputerRegistry>().Find(id)!.Settled;

        Assert.Equal("succeeded", (await server.GetAsync(path)).Expect(200).Text("status"));
        (await server.GetAsync($"/api/computers/{id}/operations/{Guid.Empty}")).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/computers/{id}/start?async=maybe")).ExpectError(400, "invalid_field", "async");
    }

    [Fact]
    public async Task A_start_that_fails_leaves_it_stopped_with_a_reason_and_its_disk()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        server.World.Fails = (step, _) => step == "resize" ? new Failure(ErrorCodes.LaunchFailed, "No luck.") : null;

        (await server.PostAsync($"/api/computers/{id}/start")).ExpectError(500, "launch_failed", "No luck");

        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal("stopped", shown.Text("status"));
        Assert.Contains("No luck", shown.Text("status_reason"), StringComparison.Ordinal);
        Assert.Empty(server.World.Machines);
        Assert.Contains(machine.Id, server.World.Disks.Keys);
        server.World.Fails = (_, _) => null;
        (await server.PostAsync($"/api/computers/{id}/start")).Expect(200);
        Assert.False((await server.GetAsync($"/api/computers/{id}")).Json.TryGetProperty("status_reason", out _));
    }

    [Theory]
    [InlineData("stop", "stop")]
    [InlineData("delete", "destroy")]
    public async Task A_stop_or_delete_that_fails_shows_as_error_and_can_be_repeated(string command, string step)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        server.World.Fails = (at, _) => at == step ? new Failure(ErrorCodes.Internal, "It clings.") : null;
        var send = () => command == "delete" ? server.DeleteAsync($"/api/computers/{id}") : server.PostAsync($"/api/computers/{id}/stop");

        (await send()).ExpectError(500, "internal_error", "clings");
        Assert.Equal("error", await server.StatusAsync(id));
        server.World.Fails = (_, _) => null;
        (await send()).Expect(200);

        Assert.Empty(server.World.Machines);
    }

    [Theory]
    [InlineData(137, false, "137")]
    [InlineData(null, true, "memory")]
    public async Task A_machine_that_ends_by_itself_leaves_its_computer_stopped_with_the_reason(int? code, bool outOfMemory, string reason)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        machine.End(new MachineExit(code, outOfMemory));
        await server.World.UntilAsync("stop:done", machine.Id);
        await server.Get<ComputerRegistry>().Find(id)!.Settled;

        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal("stopped", shown.Text("status"));
        Assert.Contains(reason, shown.Text("status_reason"), StringComparison.Ordinal);
        Assert.Empty(server.World.Machines);
        (await server.PostAsync($"/api/computers/{id}/start")).Expect(200);
    }

    [Fact]
    public async Task Twenty_computers_live_through_create_restart_and_delete_side_by_side()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        await Parallel.ForAsync(0, 20, async (index, _) =>
        {
            var id = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = $"c{index}" })).Expect(201).Text("id");
            (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200);
            (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 2 })).Expect(200);
            (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        });

        Assert.Empty(server.World.Machines);
        Assert.Empty(server.World.Disks);
    }
}
