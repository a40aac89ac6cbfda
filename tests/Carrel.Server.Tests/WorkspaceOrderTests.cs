using Carrel.Contracts;
using Carrel.Server.Computers;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>One order to all computers of a workspace.</summary>
public sealed class WorkspaceOrderTests
{
    private static async Task<(string Workspace, string[] Ids)> MadeAsync(RunningServer server, int count)
    {
        var workspace = await server.WorkspaceAsync();
        var ids = new string[count];
        for (var index = 0; index < count; index++)
        {
            ids[index] = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = $"c{index}" })).Expect(201).Text("id");
        }

        return (workspace, ids);
    }

    [Fact]
    public async Task All_computers_stop_start_and_restart_and_each_says_how_it_went()
    {
        await using var server = await RunningServer.StartAsync();
        var (workspace, ids) = await MadeAsync(server, 3);
        var (bystander, _) = await server.ComputerAsync("bystander");
        (await server.PostAsync($"/api/computers/{ids[0]}/stop")).Expect(200);

        var stopped = (await server.PostAsync($"/api/workspaces/{workspace}/stop")).Expect(200);
        Assert.True(stopped.Json.GetProperty("success").GetBoolean());
        Assert.Equal(
            ids.Select((id, index) => (id, $"c{index}", true, "stopped")),
            stopped.Json.GetProperty("results").EnumerateArray().Select(result => (
                result.GetProperty("id").GetString()!, result.GetProperty("name").GetString()!, result.GetProperty("ok").GetBoolean(), result.GetProperty("status").GetString()!)));
        Assert.Equal("running", await server.StatusAsync(bystander));

        (await server.PostAsync($"/api/computers/{ids[1]}/start")).Expect(200);
        var restarted = (await server.PostAsync($"/api/projects/{workspace}/restart")).Expect(207);
        Assert.False(restarted.Json.GetProperty("success").GetBoolean());
        Assert.Equal(
            [("not_running", false), (null, true), ("not_running", false)],
            restarted.Json.GetProperty("results").EnumerateArray().Select(result => (
                result.TryGetProperty("code", out var code) ? code.GetString() : null, result.GetProperty("ok").GetBoolean())));

        (await server.PostAsync($"/api/projects/{workspace}/start")).Expect(200);
        Assert.All(await Task.WhenAll(ids.Select(server.StatusAsync)), status => Assert.Equal("running", status));
        (await server.PostAsync($"/api/workspaces/{Guid.Empty}/start")).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/workspaces/{workspace}/start?async=soon")).ExpectError(400, "invalid_field", "async");
        Assert.Equal("""{"success":true,"results":[]}""", (await server.PostAsync($"/api/workspaces/{await server.WorkspaceAsync("empty")}/stop")).Expect(200).Body);
    }

    [Fact]
    public async Task One_that_fails_does_not_keep_the_others_and_few_start_at_once()
    {
        await using var server = await RunningServer.StartAsync();
        var (workspace, ids) = await MadeAsync(server, 8);
        (await server.PostAsync($"/api/workspaces/{workspace}/stop")).Expect(200);
        var bad = (await server.GetAsync($"/api/computers/{ids[3]}")).Text("instance_id");
        var (now, most) = (0, 0);
        server.World.At = async (step, _) =>
        {
            if (step == "launch")
            {
                most = Math.Max(most, Interlocked.Increment(ref now));
                await Task.Yield();
                Interlocked.Decrement(ref now);
            }
        };
        server.World.Fails = (step, id) => step == "launch" && id == bad ? new Failure(ErrorCodes.LaunchFailed, "No luck.") : null;

        var results = (await server.PostAsync($"/api/workspaces/{workspace}/start")).Expect(207).Json.GetProperty("results").EnumerateArray().ToArray();

        Assert.Equal(ids.Select(id => id != ids[3]), results.Select(result => result.GetProperty("ok").GetBoolean()));
        Assert.Equal(("stopped", "launch_failed"), (results[3].GetProperty("status").GetString(), results[3].GetProperty("code").GetString()));
        Assert.Contains("No luck", results[3].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.True(most <= Math.Max(2, Environment.ProcessorCount), $"{most} at once");
    }

    [Fact]
    public async Task Async_answers_with_an_operation_for_each_and_a_crash_tells_which_never_began()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (workspace, _) = await MadeAsync(first, Math.Max(2, Environment.ProcessorCount) + 2);
        var gate = world.HoldAt("stop");

        var results = (await first.PostAsync($"/api/workspaces/{workspace}/stop?async=true")).Expect(202).Json.GetProperty("results").EnumerateArray().ToArray();
        await gate.Reached;
        var paths = results.Select(result => new Uri(result.GetProperty("operation_url").GetString()!).AbsolutePath).ToArray();
        async Task<string[]> StatesAsync(RunningServer server) => [.. (await Task.WhenAll(paths.Select(path => server.GetAsync(path)))).Select(answer => answer.Expect(200).Text("status"))];
        await Eventually.TrueAsync(async () => (await StatesAsync(first)).Count(state => state == "running") == paths.Length - 2);
        Assert.Equal(2, (await StatesAsync(first)).Count(state => state == "queued"));
        await first.KillAsync();

        world.At = (_, _) => Task.CompletedTask;
        await using var second = await RunningServer.StartAsync(world, first.Data);
        await Task.WhenAll(second.Get<ComputerRegistry>().All.Select(computer => computer.Settled));
        var after = await StatesAsync(second);
        Assert.Equal((2, paths.Length - 2), (after.Count(state => state == "failed"), after.Count(state => state == "succeeded")));
        Assert.Equal(2, world.Machines.Count);

        var again = (await second.PostAsync($"/api/workspaces/{workspace}/stop?async=true")).Expect(202).Json.GetProperty("results").EnumerateArray();
        paths = [.. again.Select(result => $"/api/operations/{result.GetProperty("operation_id").GetString()}")];
        await Eventually.TrueAsync(async () => (await StatesAsync(second)).All(state => state == "succeeded"));
        Assert.Empty(world.Machines);
    }
}
