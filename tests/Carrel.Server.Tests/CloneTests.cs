using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Clones;
using Carrel.Server.Computers;
using Carrel.Server.Files;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class CloneTests
{
    [Theory]
    [InlineData("a", "a (clone)")]
    [InlineData("a (clone)", "a (clone 2)", "a (clone)")]
    [InlineData("a", "a (clone 3)", "a (clone)", "a (clone 2)")]
    [InlineData("a (clone 7)", "a (clone)", "a (clone 7)")]
    [InlineData("a (clone) b", "a (clone) b (clone)")]
    [InlineData(" (clone)", " (clone) (clone)", " (clone)")]
    public void Names_count_on(string source, string expected, params string[] taken) =>
        Assert.Equal(expected, CloneNames.Next(source, taken.Contains));

    [Fact]
    public void A_long_name_is_cut_to_fit_and_never_within_a_character()
    {
        var name = CloneNames.Next(string.Concat(Enumerable.Repeat("\U0001F4BB", 100)), _ => false);

        Assert.EndsWith("\U0001F4BB (clone)", name, StringComparison.Ordinal);
        Assert.InRange(name.Length, 199, 200);
    }

    [Fact]
    public async Task A_clone_is_a_running_computer_of_its_own_that_stays_on()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var source = (await server.PostAsync(
            "/api/computers", new { workspace_id = workspace, name = "a", cpu = 2, ram = 8, disk_size_gb = 20, resolution = "800x600x16", auto_stop_minutes = 5 })).Expect(201);

        var clone = (await server.PostAsync($"/api/computers/{source.Text("id")}/clone")).Expect(201);

        Assert.Equal(("a (clone)", "running", workspace), (clone.Text("name"), clone.Text("status"), clone.Text("workspace_id")));
        Assert.Equal("frozen;dur=12.3", clone.Headers.GetValues("Server-Timing").Single());
        Assert.Equal((2.0, 8, 20, "800x600x16", 0), (
            clone.Json.GetProperty("cpu").GetDouble(), clone.Json.GetProperty("ram").GetInt32(), clone.Json.GetProperty("disk_size_gb").GetInt32(),
            clone.Text("resolution"), clone.Json.GetProperty("auto_stop_minutes").GetInt32()));
        Assert.NotEqual(source.Text("id"), clone.Text("id"));
        Assert.NotEqual(source.Text("vnc_password"), clone.Text("vnc_password"));
        var (mine, theirs) = (server.World.Machines[clone.Text("instance_id")].Identity!, server.World.Machines[source.Text("instance_id")].Identity!);
        Assert.NotEqual(theirs.MachineId, mine.MachineId);
        Assert.NotEqual(theirs.HostName, mine.HostName);
        Assert.NotEqual(theirs.Token, mine.Token);
        Assert.Equal("running", await server.StatusAsync(source.Text("id")));
        Assert.Equal("a (clone 2)", (await server.PostAsync($"/api/computers/{clone.Text("id")}/clone")).Expect(201).Text("name"));
    }

    [Theory]
    [InlineData("targetProjectId")]
    [InlineData("workspace_id")]
    [InlineData("project_id")]
    public async Task Name_and_workspace_can_be_chosen(string field)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync("a");
        var other = await server.WorkspaceAsync("other");

        var clone = (await server.PostAsync($"/api/computers/{id}/clone", new Dictionary<string, string> { ["name"] = "b", [field] = other })).Expect(201);

        Assert.Equal(("b", other), (clone.Text("name"), clone.Text("workspace_id")));
        (await server.PostAsync($"/api/computers/{id}/clone", new { name = "b", workspace_id = other })).ExpectError(409, "name_taken");
        (await server.PostAsync($"/api/computers/{id}/clone", new { workspace_id = Guid.Empty })).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/computers/{id}/clone", new { name = " " })).ExpectError(400, "invalid_field");
        Assert.Equal(2, server.World.Disks.Count);
    }

    [Fact]
    public async Task Clones_made_at_once_get_names_of_their_own()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync("a");

        var clones = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => server.PostAsync($"/api/computers/{id}/clone")));

        Assert.Equal(
            ["a (clone 2)", "a (clone 3)", "a (clone 4)", "a (clone 5)", "a (clone)"],
            clones.Select(clone => clone.Expect(201).Text("name")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_source_is_served_meanwhile_and_stops_only_afterwards()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync("a");
        var gate = server.World.HoldAt("clone");
        var cloning = server.PostAsync($"/api/computers/{id}/clone");
        await gate.Reached;

        Assert.Equal("running", await server.StatusAsync(id));
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
        var stopping = server.PostAsync($"/api/computers/{id}/stop");
        while (await server.StatusAsync(id) != "stopping")
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.DoesNotContain(("stop", machine.Id), server.World.Steps);
        gate.Open();

        (await cloning).Expect(201);
        (await stopping).Expect(200);
        var stopped = (await server.PostAsync($"/api/computers/{id}/clone")).Expect(201);
        Assert.Equal("running", stopped.Text("status"));
        Assert.Equal("stopped", await server.StatusAsync(id));
    }

    [Fact]
    public async Task What_cannot_be_copied_says_so_and_leaves_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync("a");
        foreach (var step in (string[])["clone", "clone:done", "launch", "launch:done"])
        {
            server.World.Fails = (at, of) => at == step ? new Failure(ErrorCodes.HostDiskFull, "no room") : null;
            (await server.PostAsync($"/api/computers/{id}/clone")).ExpectError(507, "host_disk_full");
            server.World.Fails = (_, _) => null;
            Assert.Single(server.World.Disks);
            Assert.Single(await server.Get<ComputerStore>().AllAsync());
            Assert.Equal("running", await server.StatusAsync(id));
        }

        server.World.Fails = (at, _) => at == "stop" ? new Failure(ErrorCodes.Internal, "stuck") : null;
        await server.PostAsync($"/api/computers/{id}/stop");
        Assert.Equal("error", await server.StatusAsync(id));
        (await server.PostAsync($"/api/computers/{id}/clone")).ExpectError(400, "NOT_CLONABLE");
    }

    [Fact]
    public async Task Uploads_that_the_source_was_given_are_not_given_to_the_clone_again()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync("a");
        var workspace = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        using var form = new MultipartFormDataContent { { new StringContent(workspace), "projectId" }, { new ByteArrayContent("x"u8.ToArray()), "file", "x.txt" } };
        using var uploaded = await server.Client.PostAsync("/api/files/upload", form, TestContext.Current.CancellationToken);
        Assert.True(uploaded.IsSuccessStatusCode);
        Assert.Empty(await server.Get<FileStore>().PendingAsync(id, workspace));

        var clone = (await server.PostAsync($"/api/computers/{id}/clone")).Expect(201).Text("id");

        Assert.Empty(await server.Get<FileStore>().PendingAsync(clone, workspace));
    }
}
