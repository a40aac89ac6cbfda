using Carrel.Contracts;
using Carrel.Server.Computers;
using Carrel.Server.Snapshots;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class SnapshotTests
{
    [Fact]
    public async Task Snapshots_are_taken_listed_shown_and_deleted()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { MaxSnapshots = 2 });
        var (id, machine) = await server.ComputerAsync("a");
        var path = $"/api/computers/{id}/snapshots";

        var first = (await server.PostAsync(path, new { name = "first", description = "why" })).Expect(201);
        var second = (await server.PostAsync(path)).Expect(201);

        Assert.Equal(("first", "why", id, "digest"), (first.Text("name"), first.Text("description"), first.Text("computer_id"), first.Text("image_digest")));
        Assert.Equal((1 << 20, 8), (first.Int("size_bytes"), first.Int("disk_size_gb")));
        Assert.Equal("frozen;dur=12.3", first.Headers.GetValues("Server-Timing").Single());
        Assert.NotEqual("", second.Text("name"));
        Assert.Equal(2, (await server.GetAsync(path)).Expect(200).Json.GetProperty("snapshots").GetArrayLength());
        Assert.Equal(first.Text("created_at"), (await server.GetAsync($"{path}/{first.Text("id")}")).Expect(200).Text("created_at"));
        (await server.PostAsync(path)).ExpectError(409, "snapshot_limit");

        (await server.DeleteAsync($"{path}/{first.Text("id")}")).Expect(200);
        (await server.GetAsync($"{path}/{first.Text("id")}")).ExpectError(404, "not_found");
        (await server.DeleteAsync($"{path}/{first.Text("id")}")).ExpectError(404, "not_found");
        Assert.Equal(second.Text("id"), Assert.Single(server.World.Snapshots).Key);
        Assert.Equal("running", await server.StatusAsync(id));
        Assert.False(machine.Completion.IsCompleted);

        // Those of another computer are not this one's, and all go with theirs.
        var (other, _) = await server.ComputerAsync("b");
        (await server.GetAsync($"/api/computers/{other}/snapshots/{second.Text("id")}")).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/computers/{other}/snapshots/{second.Text("id")}/restore")).ExpectError(404, "not_found");
        (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        Assert.Empty(server.World.Snapshots);
        Assert.Empty(await server.Get<SnapshotStore>().AllAsync());
    }

    [Fact]
    public async Task A_snapshot_that_fails_never_was()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync("a");
        server.World.Fails = (at, _) => at == "snapshot" ? new Failure(ErrorCodes.HostDiskFull, "no room") : null;

        (await server.PostAsync($"/api/computers/{id}/snapshots")).ExpectError(507, "host_disk_full");

        Assert.Empty(await server.Get<SnapshotStore>().AllAsync());
    }

    [Fact]
    public async Task Restoring_restarts_a_running_computer_and_leaves_a_stopped_one_stopped()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync("a");
        var snapshot = (await server.PostAsync($"/api/computers/{id}/snapshots")).Expect(201).Text("id");
        var password = (await server.GetAsync($"/api/computers/{id}")).Text("vnc_password");

        var gate = server.World.HoldAt("restore");
        var restoring = server.PostAsync($"/api/computers/{id}/snapshots/{snapshot}/restore");
        await gate.Reached;
        Assert.True(machine.Completion.IsCompleted);
        Assert.Equal("restarting", await server.StatusAsync(id));
        (await server.PostAsync($"/api/computers/{id}/stop")).ExpectError(409, "busy");
        gate.Open();

        var restored = (await restoring).Expect(200);
        Assert.Equal("running", restored.Text("status"));
        Assert.NotEqual(password, restored.Text("vnc_password"));
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        Assert.Equal("stopped", (await server.PostAsync($"/api/computers/{id}/snapshots/{snapshot}/restore")).Expect(200).Text("status"));
        Assert.Equal([(machine.Id, snapshot), (machine.Id, snapshot)], server.World.Restored);

        server.World.Fails = (at, _) => at == "restore" ? new Failure(ErrorCodes.HostDiskFull, "no room") : null;
        (await server.PostAsync($"/api/computers/{id}/snapshots/{snapshot}/restore")).ExpectError(507, "host_disk_full");
        Assert.Contains("no room", (await server.GetAsync($"/api/computers/{id}")).Text("status_reason"), StringComparison.Ordinal);
        server.World.Fails = (_, _) => null;
        (await server.PostAsync($"/api/computers/{id}/start")).Expect(200);
    }

    [Fact]
    public async Task A_computer_begins_with_a_snapshot_and_its_sizes_unless_told_otherwise()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var source = (await server.PostAsync(
            "/api/computers", new { workspace_id = workspace, name = "a", cpu = 2, ram = 8, disk_size_gb = 20, resolution = "800x600x16" })).Expect(201).Text("id");
        var snapshot = (await server.PostAsync($"/api/computers/{source}/snapshots")).Expect(201).Text("id");

        var begun = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "b", snapshot_id = snapshot, ram = 4 })).Expect(201);

        Assert.Equal((2, 4, 20, "800x600x16"), (begun.Int("cpu"), begun.Int("ram"), begun.Int("disk_size_gb"), begun.Text("resolution")));
        Assert.Contains(("unpack", begun.Text("instance_id")), server.World.Steps);
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "c", snapshot_id = snapshot, disk_size_gb = 8 })).ExpectError(400, "invalid_field", "disk_size_gb");
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "c", snapshot_id = Guid.Empty })).ExpectError(404, "not_found");
        server.World.Fails = (at, _) => at == "launch" ? new Failure(ErrorCodes.LaunchFailed, "no") : null;
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "c", snapshot_id = snapshot })).ExpectError(500, "launch_failed");
        Assert.Equal(2, server.World.Disks.Count);
    }

    // what is under way, the step it is killed at, whether the snapshot is there afterwards
    [Theory]
    [InlineData("take", "snapshot", false)]
    [InlineData("take", "snapshot:done", false)]
    [InlineData("delete", "unsnapshot", false)]
    [InlineData("delete", "unsnapshot:done", false)]
    [InlineData("delete-computer", "destroy", false)]
    [InlineData("delete-computer", "unsnapshot", false)]
    [InlineData("restore", "stop", true)]
    [InlineData("restore", "restore", true)]
    [InlineData("restore", "restore:done", true)]
    [InlineData("restore", "launch", true)]
    [InlineData("restore-stopped", "restore", true)]
    [InlineData("restore-stopped", "restore:done", true)]
    public async Task Killed_anywhere_a_snapshot_is_whole_or_gone_and_a_restore_is_finished(string what, string step, bool there)
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, machine) = await first.ComputerAsync("victim");
        var path = $"/api/computers/{id}/snapshots";
        var snapshot = what == "take" ? "" : (await first.PostAsync(path)).Expect(201).Text("id");
        if (what == "restore-stopped")
        {
            (await first.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        }

        var gate = world.HoldAt(step);
        var interrupted = what switch
        {
            "take" => first.PostAsync(path),
            "delete" => first.DeleteAsync($"{path}/{snapshot}"),
            "delete-computer" => first.DeleteAsync($"/api/computers/{id}"),
            _ => first.PostAsync($"{path}/{snapshot}/restore"),
        };
        await gate.Reached;
        await first.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => interrupted);

        world.At = (_, _) => Task.CompletedTask;
        await using var second = await RunningServer.StartAsync(world, first.Data);
        await Task.WhenAll(second.Get<ComputerRegistry>().All.Select(computer => computer.Settled));

        Assert.Equal(there ? [snapshot] : [], world.Snapshots.Keys);
        Assert.Equal(there ? [snapshot] : [], (await second.Get<SnapshotStore>().AllAsync()).Select(row => row.Id));
        Assert.Empty(await second.Get<ComputerStore>().UnfinishedAsync());
        if (what != "delete-computer")
        {
            Assert.Equal(what == "restore-stopped" ? "stopped" : "running", await second.StatusAsync(id));
        }

        if (there)
        {
            Assert.Contains((machine.Id, snapshot), world.Restored);
        }
    }
}
