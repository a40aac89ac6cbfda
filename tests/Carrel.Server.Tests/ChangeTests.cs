using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Tests.Fakes;
using Xunit;
using static Carrel.Server.Tests.Fakes.Sockets;

namespace Carrel.Server.Tests;

/// <summary>What of computers and workspaces changes while they live: names, places, stars, wishes.</summary>
public sealed class ChangeTests
{
    [Fact]
    public async Task A_computer_is_renamed_whatever_is_under_way_and_keeps_its_name()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "taken" })).Expect(201);

        (await server.PatchAsync($"/api/computers/{id}", new { name = "taken" })).ExpectError(409, "name_taken", "already exists");
        (await server.PatchAsync($"/api/computers/{id}", new { name = " " })).ExpectError(400, "invalid_field", "name");
        (await server.PatchAsync($"/api/computers/{id}", new { name = "a\nb" })).ExpectError(400, "invalid_field", "control");
        (await server.PatchAsync($"/api/computers/{id}", new { })).ExpectError(400, "missing_field");
        (await server.PatchAsync($"/api/computers/{Guid.Empty}", new { name = "x" })).ExpectError(404, "not_found");

        var gate = server.World.HoldAt("stop");
        var restart = server.PostAsync($"/api/computers/{id}/restart");
        await gate.Reached;
        var renamed = (await server.PatchAsync($"/api/computers/{id}", new { name = "größe 世界", auto_start = true, auto_stop_minutes = 15 })).Expect(200);
        Assert.Equal(("größe 世界", "restarting", 15, true), (
            renamed.Text("name"), renamed.Text("status"), renamed.Int("auto_stop_minutes"), renamed.Json.GetProperty("auto_start").GetBoolean()));
        gate.Open();
        (await restart).Expect(200);

        Assert.Equal("größe 世界", (await server.GetAsync($"/api/computers/{id}")).Text("name"));
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "hello" })).Expect(201);
        var kept = Assert.Single(await server.Get<ComputerStore>().AllAsync(), record => record.Id == id);
        Assert.Equal(("größe 世界", 15, true), (kept.Name, kept.AutoStopMinutes, kept.AutoStart));
    }

    [Fact]
    public async Task Of_many_that_want_one_name_at_once_one_gets_it()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var ids = new List<string>();
        foreach (var name in new[] { "a", "b", "c" })
        {
            ids.Add((await server.PostAsync("/api/computers", new { workspace_id = workspace, name })).Expect(201).Text("id"));
        }

        var answers = await Task.WhenAll([
            .. ids.Select(id => server.PatchAsync($"/api/computers/{id}", new { name = "one" })),
            server.PostAsync("/api/computers", new { workspace_id = workspace, name = "one" })]);

        Assert.Single(answers, answer => answer.Status is 200 or 201);
        Assert.All(answers.Where(answer => answer.Status is not (200 or 201)), answer => answer.ExpectError(409, "name_taken"));
    }

    [Fact]
    public async Task A_moved_computer_goes_on_with_its_sockets_and_belongs_to_the_other_workspace()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var from = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        var to = await server.WorkspaceAsync("other");
        using var socket = await OpenAsync(server, $"/desktops/{id}/ws/websockify?token={machine.Identity!.VncPassword}");
        await ReadAsync(socket, FakeVnc.Greeting.Length);

        (await server.PatchAsync($"/api/computers/{id}/move", new { })).ExpectError(400, "missing_field", "workspace_id");
        (await server.PatchAsync($"/api/computers/{id}/move", new { workspace_id = from })).ExpectError(400, "invalid_field", "already in");
        (await server.PatchAsync($"/api/computers/{id}/move", new { workspace_id = Guid.Empty })).ExpectError(404, "not_found");
        var moved = (await server.PatchAsync($"/api/computers/{id}/move", new { project_id = to })).Expect(200);

        Assert.Equal($$"""{"success":true,"workspace_id":"{{to}}","project_id":"{{to}}"}""", moved.Body);
        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal((to, to, "other", "running"), (shown.Text("workspace_id"), shown.Text("project_id"), shown.Text("project_name"), shown.Text("status")));
        await socket.SendAsync("still"u8.ToArray(), System.Net.WebSockets.WebSocketMessageType.Binary, true, TestContext.Current.CancellationToken);
        Assert.Equal("still"u8.ToArray(), await ReadAsync(socket, 5));
        Assert.Equal(0, (await server.GetAsync($"/api/workspaces/{from}")).Int("computer_count"));
        Assert.Equal(1, (await server.GetAsync($"/api/workspaces/{to}")).Int("computer_count"));
        (await server.DeleteAsync($"/api/workspaces/{from}")).Expect(200);
        Assert.Equal("running", await server.StatusAsync(id));
        (await server.DeleteAsync($"/api/workspaces/{to}")).Expect(200);
        Assert.Empty(server.World.Machines);
    }

    [Fact]
    public async Task A_move_is_refused_where_the_name_is_taken_or_the_key_is_of_one_workspace()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var home = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        var to = await server.WorkspaceAsync("other");
        var account = (await server.GetAsync($"/api/workspaces/{home}")).Text("user_id");
        (await server.PostAsync("/api/computers", new { workspace_id = to, name = "hello" })).Expect(201);
        using var scoped = server.ClientWith(await server.Get<KeyRing>().CreateAsync(account, home, "scoped"));

        (await server.PatchAsync($"/api/computers/{id}/move", new { workspace_id = to })).ExpectError(409, "name_taken", "already exists");
        var refused = (await server.PatchAsync($"/api/computers/{id}/move", new { workspace_id = to }, scoped)).ExpectError(403, "workspace_scope_mismatch");
        Assert.Equal((home, to), (refused.Text("key_workspace_id"), refused.Text("target_workspace_id")));
        (await server.PatchAsync($"/api/workspaces/{to}", new { name = "mine" }, scoped)).ExpectError(403, "workspace_scope_mismatch");
    }

    [Fact]
    public async Task A_moved_computer_is_given_the_uploads_of_its_new_workspace()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var to = await server.WorkspaceAsync("other");
        using var form = new MultipartFormDataContent { { new StringContent(to), "projectId" }, { new ByteArrayContent([1, 2]), "file", "there.bin" } };
        (await server.SendAsync(HttpMethod.Post, "/api/files/upload", form)).Expect(200);

        (await server.PatchAsync($"/api/computers/{id}/move", new { workspace_id = to })).Expect(200);

        await Eventually.TrueAsync(() => machine.Requests.Any(request => request.Query.Contains("there.bin", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_workspace_is_renamed_with_all_that_shows_its_name()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        await server.WorkspaceAsync("taken");

        foreach (var noun in new[] { "workspaces", "projects" })
        {
            (await server.PatchAsync($"/api/{noun}/{workspace}", new { name = "taken" })).ExpectError(400, "name_taken", "already exists");
            (await server.PatchAsync($"/api/{noun}/{workspace}", new { status = "odd" })).ExpectError(400, "invalid_field", "status");
            (await server.PatchAsync($"/api/{noun}/{workspace}", new { })).ExpectError(400, "missing_field");
            (await server.PatchAsync($"/api/{noun}/{Guid.Empty}", new { name = "x" })).ExpectError(404, "not_found");
            var changed = (await server.PatchAsync($"/api/{noun}/{workspace}", new { name = $"new {noun}", icon_url = "https://example.org/i.png", status = "inactive" })).Expect(200);
            Assert.Equal(($"new {noun}", "https://example.org/i.png", "inactive"), (changed.Text("name"), changed.Text("icon_url"), changed.Text("status")));
            Assert.Equal(changed.Body, (await server.GetAsync($"/api/workspaces/{workspace}")).Body);
            Assert.Equal($"new {noun}", (await server.GetAsync($"/api/computers/{id}")).Text("project_name"));
        }

        Assert.Null((await server.PatchAsync($"/api/workspaces/{workspace}", new { icon_url = "" })).Expect(200).Json.GetProperty("icon_url").GetString());
        (await server.PatchAsync($"/api/workspaces/{workspace}", new { name = "new projects" })).Expect(200);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("größe 世界")]
    [InlineData("a/b")]
    [InlineData("50%2F50?#&")]
    [InlineData("by-name")]
    public async Task Any_name_is_found_by_name(string name)
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync(name);
        var computer = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name })).Expect(201).Text("id");
        var escaped = Uri.EscapeDataString(name);

        Assert.Equal(workspace, (await server.GetAsync($"/api/workspaces/by-name/{escaped}?x=1")).Expect(200).Text("id"));
        Assert.Equal(computer, (await server.GetAsync($"/api/projects/{workspace}/computers/by-name/{escaped}")).Expect(200).Text("id"));
        (await server.GetAsync($"/api/workspaces/{workspace}/computers/by-name/{escaped}x")).ExpectError(404, "not_found");
        (await server.GetAsync($"/api/workspaces/{Guid.Empty}/computers/by-name/{escaped}")).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task Starred_computers_are_listed()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        await server.ComputerAsync("other");
        Assert.Empty((await server.GetAsync("/api/computers/starred")).Expect(200).Json.GetProperty("computers").EnumerateArray());

        (await server.PostAsync($"/api/computers/{id}/star", new { starred = true })).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);

        var starred = Assert.Single((await server.GetAsync("/api/computers/starred")).Expect(200).Json.GetProperty("computers").EnumerateArray());
        Assert.Equal((id, true), (starred.GetProperty("id").GetString(), starred.GetProperty("starred").GetBoolean()));
        (await server.PostAsync($"/api/computers/{id}/star", new { starred = "yes" })).ExpectError(400, "invalid_field", "starred");
        Assert.Equal("""{"success":true,"starred":false}""", (await server.PostAsync($"/api/computers/{id}/star", new { starred = false })).Expect(200).Body);
        Assert.Empty((await server.GetAsync("/api/computers/starred")).Expect(200).Json.GetProperty("computers").EnumerateArray());
    }

    [Fact]
    public async Task The_auto_stop_is_read_and_set()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var path = $"/api/computers/{id}/auto-stop";
        Assert.Equal("""{"auto_stop_minutes":0,"configurable":true}""", (await server.GetAsync(path)).Expect(200).Body);

        Assert.Equal("""{"auto_stop_minutes":15,"auto_suspend_after":"900s"}""", (await server.PatchAsync(path, new { auto_stop_minutes = 15 })).Expect(200).Body);
        Assert.Equal("""{"auto_stop_minutes":15,"configurable":true}""", (await server.GetAsync(path)).Expect(200).Body);
        Assert.Equal(15, (await server.GetAsync($"/api/computers/{id}")).Int("auto_stop_minutes"));
        Assert.Equal("""{"auto_stop_minutes":0,"auto_suspend_after":"0s"}""", (await server.PatchAsync(path, new { minutes = 0 })).Expect(200).Body);
        (await server.PatchAsync(path, new { })).ExpectError(400, "missing_field", "auto_stop_minutes");
        (await server.PatchAsync(path, new { auto_stop_minutes = -1 })).ExpectError(400, "invalid_field", "auto_stop_minutes");
        (await server.PatchAsync($"/api/computers/{Guid.Empty}/auto-stop", new { auto_stop_minutes = 1 })).ExpectError(404, "not_found");
    }
}
