using System.Net.WebSockets;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Screenshots;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>kill -9 at every step of every transition, then a new server on the same data folder and the same host.</summary>
public sealed class RecoveryTests
{
    // command, the step it is killed at, the computer's status after recovery ("gone": it is no more)
    public static TheoryData<string, string, string> KillPoints => new()
    {
        { "create", "launch", "gone" },
        { "create", "launch:done", "gone" },
        { "create", "connect", "gone" },
        { "create", "resize", "gone" },
        { "create", "resize:done", "gone" },
        { "clone", "clone", "gone" },
        { "clone", "clone:done", "gone" },
        { "clone", "launch", "gone" },
        { "clone", "resize:done", "gone" },
        { "stop", "stop", "stopped" },
        { "stop", "stop:done", "stopped" },
        { "start", "launch", "running" },
        { "start", "launch:done", "running" },
        { "start", "connect", "running" },
        { "start", "resize", "running" },
        { "start", "resize:done", "running" },
        { "restart", "stop", "running" },
        { "restart", "stop:done", "running" },
        { "restart", "launch", "running" },
        { "restart", "launch:done", "running" },
        { "restart", "connect", "running" },
        { "restart", "resize", "running" },
        { "restart", "resize:done", "running" },
        { "suspend", "pause", "suspended" },
        { "suspend", "pause:done", "suspended" },
        { "resume", "resume", "suspended" },
        { "resume", "resume:done", "suspended" },
        { "stop-suspended", "resume:done", "stopped" },
        { "stop-suspended", "stop:done", "stopped" },
        { "delete", "destroy", "gone" },
        { "delete", "destroy:done", "gone" },
        { "delete-stopped", "disk", "gone" },
        { "delete-stopped", "disk:done", "gone" },
        { "delete-workspace", "destroy", "gone" },
        { "delete-workspace", "destroy:done", "gone" },
    };

    [Theory]
    [MemberData(nameof(KillPoints))]
    public async Task Killed_anywhere_nothing_is_stuck_and_nothing_is_orphaned(string command, string step, string expected)
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (bystander, untouched) = await first.ComputerAsync("bystander");
        var (id, _) = command is "create" or "clone" ? ("", untouched) : await first.ComputerAsync("victim");
        var workspace = command is "create" or "clone" ? await first.WorkspaceAsync("ws-victim") : (await first.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        if (command is "start" or "delete-stopped")
        {
            (await first.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        }

        if (command is "resume" or "stop-suspended")
        {
            (await first.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        }

        var gate = world.HoldAt(step);
        var interrupted = command switch
        {
            "stop-suspended" => first.PostAsync($"/api/computers/{id}/stop"),
            "create" => first.PostAsync("/api/computers", new { workspace_id = workspace, name = "victim" }),
            "clone" => first.PostAsync($"/api/computers/{bystander}/clone", new { name = "victim", targetProjectId = workspace }),
            "delete" or "delete-stopped" => first.DeleteAsync($"/api/computers/{id}"),
            "delete-workspace" => first.DeleteAsync($"/api/workspaces/{workspace}"),
            _ => first.PostAsync($"/api/computers/{id}/{command}"),
        };
        await gate.Reached;
        await first.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => interrupted);

        world.At = (_, _) => Task.CompletedTask;
        await using var second = await RunningServer.StartAsync(world, first.Data);
        await Task.WhenAll(second.Get<ComputerRegistry>().All.Select(computer => computer.Settled));

        Assert.Equal(first.Key, second.Key);
        Assert.Equal("running", await second.StatusAsync(bystander));
        Assert.Same(untouched, world.Machines[untouched.Id]);
        (await second.PostAsync($"/api/computers/{bystander}/click", new { x = 1, y = 1 })).Expect(200);

        if (expected == "gone")
        {
            Assert.Equal(untouched.Id, Assert.Single(world.Machines).Key);
            Assert.Equal(untouched.Id, Assert.Single(world.Disks).Key);
            Assert.Single(await second.Get<ComputerStore>().AllAsync());
        }
        else
        {
            Assert.Equal(expected, await second.StatusAsync(id));
            Assert.Equal(expected is "running" or "suspended" ? 2 : 1, world.Machines.Count);
            Assert.Equal(2, world.Disks.Count);
        }

        Assert.Empty(await second.Get<ComputerStore>().UnfinishedAsync());
        if (command == "delete-workspace")
        {
            (await second.GetAsync($"/api/workspaces/{workspace}")).ExpectError(404, "not_found");
            workspace = await second.WorkspaceAsync("ws-victim");
        }

        if (expected == "gone")
        {
            id = (await second.PostAsync("/api/computers", new { workspace_id = workspace, name = "victim" })).Expect(201).Text("id");
        }
        else
        {
            (await second.PostAsync($"/api/computers/{id}/ensure-running")).Expect(200);
        }

        (await second.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
    }

    [Fact]
    public async Task Down_and_up_keeps_computers_running_with_their_secrets_and_links()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, machine) = await first.ComputerAsync();
        var before = (await first.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200);
        var link = new Uri((await first.GetAsync($"/api/computers/{id}/screenshot")).Text("image")).PathAndQuery;
        await first.StopAsync();
        Assert.False(machine.Completion.IsCompleted);

        await using var second = await RunningServer.StartAsync(world, first.Data);

        Assert.Equal(before.Body, (await second.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200).Body);
        (await second.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
        Assert.Equal(FakeDeskd.Png, (await second.GetAsync(link, second.Anonymous)).Expect(200).Bytes);
        Assert.Single(world.Steps, step => step.Step == "launch");
        machine.End(new MachineExit(null, false));
        await second.UntilStatusAsync(id, "stopped");
    }

    [Fact]
    public async Task After_a_reboot_a_running_computer_is_stopped_and_says_why()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, machine) = await first.ComputerAsync();
        await first.KillAsync();
        world.Machines.Clear();

        await using var second = await RunningServer.StartAsync(world, first.Data);

        var shown = (await second.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal("stopped", shown.Text("status"));
        Assert.Contains("gone", shown.Text("status_reason"), StringComparison.Ordinal);
        Assert.Contains(machine.Id, world.Disks.Keys);
        (await second.PostAsync($"/api/computers/{id}/start")).Expect(200);
    }

    [Fact]
    public async Task A_second_server_on_the_same_folder_is_refused()
    {
        await using var server = await RunningServer.StartAsync();

        var refused = Hosting.DataFolder.Open(server.Data);

        Assert.Contains("in use by another server", refused.Failure!.Message, StringComparison.Ordinal);
    }
}
