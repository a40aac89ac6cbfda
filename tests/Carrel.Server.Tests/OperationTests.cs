using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>Long work that nobody waits for: who asks later is told the truth.</summary>
public sealed class OperationTests
{
    [Fact]
    public async Task An_async_create_shows_the_computer_that_is_being_made_and_how_it_goes()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var gate = server.World.HoldAt("launch");

        var accepted = (await server.PostAsync("/api/computers?async=true", new { workspace_id = workspace, name = "a" })).Expect(202);
        Assert.Equal("creating", accepted.Text("status"));
        Assert.Equal(accepted.Text("operation_url"), accepted.Headers.Location!.ToString());
        var id = accepted.Text("id");
        Assert.Equal("creating", await server.StatusAsync(id));
        var path = $"/api/operations/{accepted.Text("operation_id")}";
        Assert.Equal(("running", "create", id), (
            (await server.GetAsync(path)).Expect(200).Text("status"), (await server.GetAsync(path)).Text("kind"), (await server.GetAsync(path)).Text("desktop_id")));
        gate.Open();
        await Eventually.TrueAsync(async () => (await server.GetAsync(path)).Text("status") == "succeeded");

        Assert.Equal("running", await server.StatusAsync(id));
        Assert.Equal(
            (await server.GetAsync(path)).Body,
            (await server.GetAsync($"/api/computers/orgo-{accepted.Text("instance_id")}/operations/{accepted.Text("operation_id").ToUpperInvariant()}")).Body);
        (await server.PostAsync("/api/computers?async=true", new { workspace_id = workspace, name = "a" })).ExpectError(409, "name_taken");
    }

    [Fact]
    public async Task An_operation_outlives_its_computer()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        server.World.Fails = (step, _) => step == "launch" ? new Failure(ErrorCodes.LaunchFailed, "No luck.") : null;
        var failing = (await server.PostAsync("/api/computers?async=true", new { workspace_id = workspace, name = "a" })).Expect(202);
        var path = new Uri(failing.Text("operation_url")).AbsolutePath;
        await Eventually.TrueAsync(async () => (await server.GetAsync(path)).Expect(200).Text("status") == "failed");
        Assert.Contains("No luck", (await server.GetAsync(path)).Text("error"), StringComparison.Ordinal);
        (await server.GetAsync($"/api/computers/{failing.Text("id")}")).ExpectError(404, "not_found");

        server.World.Fails = (_, _) => null;
        var id = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" })).Expect(201).Text("id");
        var deletion = (await server.DeleteAsync($"/api/computers/{id}?async=true")).Expect(202);
        Assert.Equal("deleting", deletion.Text("status"));
        path = new Uri(deletion.Text("operation_url")).AbsolutePath;
        await Eventually.TrueAsync(async () => (await server.GetAsync(path)).Expect(200).Text("status") == "succeeded");
        (await server.GetAsync($"/api/computers/{id}")).ExpectError(404, "not_found");

        var account = (await server.GetAsync($"/api/workspaces/{workspace}")).Text("user_id");
        using var scoped = server.ClientWith(await server.Get<KeyRing>().CreateAsync(account, await server.WorkspaceAsync("other"), "scoped"));
        (await server.GetAsync(path, scoped)).ExpectError(403, "workspace_scope_mismatch");
        (await server.GetAsync($"/api/operations/{Guid.Empty}")).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task What_was_done_with_a_computer_is_listed_and_forgotten_after_a_week()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        server.World.Fails = (step, _) => step == "launch" ? new Failure(ErrorCodes.LaunchFailed, "No luck.") : null;
        (await server.PostAsync($"/api/computers/{id}/start")).ExpectError(500, "launch_failed");
        server.World.Fails = (step, _) => step == "stop" ? new Failure(ErrorCodes.Internal, "It clings.") : null;
        (await server.PostAsync($"/api/computers/{id}/ensure-running")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/stop")).ExpectError(500, "internal_error");
        server.World.Fails = (_, _) => null;

        var listed = (await server.GetAsync($"/api/computers/{id}/operations")).Expect(200).Json.GetProperty("operations").EnumerateArray()
            .Select(operation => (operation.GetProperty("kind").GetString(), operation.GetProperty("status").GetString())).ToList();
        Assert.Equal(
            [("create", "succeeded"), ("start", "failed"), ("start", "succeeded"), ("stop", "needs_review"), ("stop", "succeeded")],
            listed.Order());

        await server.Get<ComputerStore>().ForgetOperationsAsync(DateTimeOffset.UnixEpoch.AddYears(200));
        Assert.Empty((await server.GetAsync($"/api/computers/{id}/operations")).Json.GetProperty("operations").EnumerateArray());
    }

    [Theory]
    [InlineData("create", "launch", "failed")]
    [InlineData("create", "resize:done", "failed")]
    [InlineData("start", "launch", "succeeded")]
    [InlineData("stop", "stop", "succeeded")]
    [InlineData("restart", "stop:done", "succeeded")]
    [InlineData("delete", "destroy", "succeeded")]
    public async Task After_a_crash_an_operation_tells_how_it_ended(string command, string step, string expected)
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, _) = await first.ComputerAsync();
        var workspace = (await first.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        if (command == "start")
        {
            (await first.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        }

        var gate = world.HoldAt(step);
        var accepted = command switch
        {
            "create" => await first.PostAsync("/api/computers?async=true", new { workspace_id = workspace, name = "new" }),
            "delete" => await first.DeleteAsync($"/api/computers/{id}?async=1"),
            _ => await first.PostAsync($"/api/computers/{id}/{command}?async=true"),
        };
        var path = new Uri(accepted.Expect(202).Text("operation_url")).AbsolutePath;
        await gate.Reached;
        await first.KillAsync();
        world.At = (_, _) => Task.CompletedTask;

        await using var second = await RunningServer.StartAsync(world, first.Data);
        await Task.WhenAll(second.Get<ComputerRegistry>().All.Select(computer => computer.Settled));

        var operation = (await second.GetAsync(path)).Expect(200);
        Assert.Equal((expected, command), (operation.Text("status"), operation.Text("kind")));
        Assert.Equal(expected == "failed", operation.Json.TryGetProperty("error", out _));
    }
}
