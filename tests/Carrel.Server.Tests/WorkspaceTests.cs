using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class WorkspaceTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Theory]
    [InlineData("workspaces")]
    [InlineData("projects")]
    public async Task A_workspace_is_the_same_under_both_names(string noun)
    {
        await using var server = await RunningServer.StartAsync();
        var created = (await server.PostAsync($"/api/{noun}", new { name = "team", icon_url = "https://example.org/i.png" })).Expect(201);
        var id = created.Text("id");
        Assert.Equal(("team", "active", "https://example.org/i.png"), (created.Text("name"), created.Text("status"), created.Text("icon_url")));

        foreach (var other in new[] { "workspaces", "projects" })
        {
            Assert.Equal(created.Body, (await server.GetAsync($"/api/{other}/{id}")).Expect(200).Body);
            Assert.Equal(created.Body, (await server.GetAsync($"/api/{other}/by-name/team")).Expect(200).Body);
            var list = (await server.GetAsync($"/api/{other}")).Expect(200).Json;
            Assert.Equal(list.GetProperty("workspaces").GetRawText(), list.GetProperty("projects").GetRawText());
            Assert.Equal(id, Assert.Single(list.GetProperty("workspaces").EnumerateArray()).GetProperty("id").GetString());
        }
    }

    [Theory]
    [InlineData("DELETE", "/api/workspaces/{0}")]
    [InlineData("DELETE", "/api/projects/{0}")]
    [InlineData("POST", "/api/projects/{0}/delete")]
    [InlineData("POST", "/api/workspaces/{0}/delete")]
    public async Task Deleting_a_workspace_deletes_its_computers(string method, string path)
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        foreach (var name in new[] { "a", "b" })
        {
            (await server.PostAsync("/api/computers", new { workspace_id = workspace, name })).Expect(201);
        }

        var deleted = (await server.SendAsync(new HttpMethod(method), string.Format(null, path, workspace))).Expect(200);

        Assert.Equal("""{"success":true}""", deleted.Body);
        Assert.Empty(server.World.Machines);
        Assert.Empty(server.World.Disks);
        (await server.GetAsync($"/api/workspaces/{workspace}")).ExpectError(404, "not_found");
        (await server.SendAsync(new HttpMethod(method), string.Format(null, path, workspace))).ExpectError(404, "not_found");
        await server.WorkspaceAsync();
    }

    [Fact]
    public async Task Deleting_a_workspace_waits_for_creates_under_way_and_lets_no_new_ones_in()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var gate = server.World.HoldAt("launch");
        var create = server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" });
        await gate.Reached;
        var delete = server.DeleteAsync($"/api/workspaces/{workspace}");
        Answer refused;
        do
        {
            refused = await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" });
        }
        while (refused.Status == 409); // Until the deletion has begun, the name is taken.

        refused.ExpectError(404, "not_found");
        gate.Open();

        (await create).Expect(201);
        (await delete).Expect(200);
        Assert.Empty(server.World.Machines);
        Assert.Empty(server.World.Disks);
    }

    [Fact]
    public async Task A_workspace_whose_computer_will_not_go_stays()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" })).Expect(201);
        server.World.Fails = (step, _) => step == "destroy" ? new Contracts.Failure("internal_error", "It clings.") : null;

        (await server.DeleteAsync($"/api/workspaces/{workspace}")).ExpectError(500, "internal_error", "clings");

        (await server.GetAsync($"/api/workspaces/{workspace}")).Expect(200);
    }

    [Fact]
    public async Task A_name_the_account_has_is_400_and_says_it_exists()
    {
        await using var server = await RunningServer.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.PostAsync("/api/workspaces", new { name = "one" })));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ExpectError(400, "name_taken", "already exists"));
    }

    [Theory]
    [InlineData("{}", "name")]
    [InlineData("", "name")]
    [InlineData("""{"name":null}""", "name")]
    [InlineData("""{"name":""}""", "name")]
    [InlineData("""{"name":[]}""", "name")]
    [InlineData("""{"name":"a","status":"gone"}""", "status")]
    [InlineData("""{"name":"a","icon_url":1}""", "icon_url")]
    public async Task A_field_that_is_wrong_is_named(string body, string field)
    {
        Assert.Contains(field, (await shared.Server.PostAsync("/api/workspaces", body)).Expect(400).Text("error"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_workspace_is_404()
    {
        await using var server = await RunningServer.StartAsync();

        (await server.GetAsync("/api/workspaces/nope")).ExpectError(404, "not_found", "nope");
        (await server.GetAsync("/api/projects/by-name/nope")).ExpectError(404, "not_found", "nope");
        (await server.DeleteAsync("/api/projects/nope")).ExpectError(404, "not_found", "nope");
    }
}
