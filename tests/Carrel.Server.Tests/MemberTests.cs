using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class MemberTests
{
    [Fact]
    public async Task A_workspace_is_shared_changed_and_left()
    {
        await using var world = new FakeWorld();
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        await using var first = await RunningServer.StartAsync(world, data);
        var (computer, _) = await first.ComputerAsync();
        var workspace = (await first.GetAsync($"/api/computers/{computer}")).Text("workspace_id");
        var (id, _) = await first.UserAsync("ann");
        var added = (await first.PostAsync($"/api/projects/{workspace}/invite", new { email = "ann@example.org", permission = "viewer" })).Expect(201);
        Assert.Equal((id, "viewer", "viewer"), (added.Text("user_id"), added.Text("role"), added.Text("permission")));
        Assert.False(added.Json.TryGetProperty("password_link", out _));
        await first.StopAsync();

        await using var server = await RunningServer.StartAsync(world, data);
        using var ann = server.ClientWith(await server.Get<Accounts.KeyRing>().CreateAsync(id, null, "ann"));
        var shared = (await server.GetAsync("/api/workspaces", ann)).Expect(200).Json.GetProperty("workspaces").EnumerateArray().Single();
        Assert.Equal((workspace, "viewer"), (shared.GetProperty("id").GetString(), shared.GetProperty("role").GetString()));
        (await server.GetAsync("/api/workspaces/by-name/ws-hello", ann)).Expect(200);
        (await server.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 }, ann)).ExpectError(403, "access_denied");
        (await server.PostAsync($"/api/workspaces/{workspace}/members", new { email = "x@example.org" }, ann)).ExpectError(403, "access_denied");

        (await server.SendAsync(HttpMethod.Patch, $"/api/workspaces/{workspace}/members/{id}", new { role = "member" })).Expect(200);
        (await server.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 }, ann)).Expect(200);
        (await server.DeleteAsync($"/api/computers/{computer}", ann)).ExpectError(403, "access_denied");
        (await server.SendAsync(HttpMethod.Patch, $"/api/workspaces/{workspace}/members/ann@example.org", new { role = "boss" })).ExpectError(400, "invalid_field", "viewer, member, admin");
        Assert.Equal(
            ["admin@localhost owner", "ann@example.org member"],
            (await server.GetAsync($"/api/workspaces/{workspace}/members", ann)).Expect(200).Json.GetProperty("members").EnumerateArray()
                .Select(member => $"{member.GetProperty("email").GetString()} {member.GetProperty("role").GetString()}"));

        (await server.DeleteAsync($"/api/workspaces/{workspace}/members/{id}", ann)).Expect(200);
        (await server.GetAsync($"/api/computers/{computer}", ann)).ExpectError(404, "not_found");
        (await server.DeleteAsync($"/api/workspaces/{workspace}/members/{id}")).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task Somebody_new_gets_a_link_and_nobody_gets_one_for_somebody_else()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var invited = (await server.PostAsync($"/api/workspaces/{workspace}/invite", new { email = "new@example.org", permission = "admin" })).Expect(201);
        Assert.Contains("/#password=", invited.Text("password_link"), StringComparison.Ordinal);

        var (_, other) = await server.UserAsync("other");
        var theirs = (await server.PostAsync("/api/workspaces", new { name = "theirs" }, other)).Expect(201).Text("id");
        var again = (await server.PostAsync($"/api/workspaces/{theirs}/members", new { email = "new@example.org", role = "viewer" }, other)).Expect(201);
        Assert.False(again.Json.TryGetProperty("password_link", out _));

        (await server.PostAsync("/api/auth/accept", new { token = invited.Text("password_link").Split('=')[1], password = "a good long one" }, server.Anonymous)).Expect(200);
        (await server.PostAsync($"/api/workspaces/{workspace}/members", new { email = "admin@localhost", role = "viewer" })).ExpectError(400, "invalid_field", "owns");
        (await server.PostAsync($"/api/workspaces/{workspace}/members", new { email = "x" })).ExpectError(400, "invalid_field", "email");
        (await server.PostAsync($"/api/workspaces/{Guid.Empty}/members", new { email = "x@example.org" })).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task The_owner_gives_a_workspace_away_and_stays_as_admin()
    {
        await using var server = await RunningServer.StartAsync();
        var (computer, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{computer}")).Text("workspace_id");
        var (annId, ann) = await server.MemberAsync(workspace, "ann", "member");
        var (benId, ben) = await server.MemberAsync(workspace, "ben", "admin");
        var owner = (await server.GetAsync("/api/user/profile")).Text("id");

        (await server.SendAsync(HttpMethod.Patch, $"/api/workspaces/{workspace}/members/{benId}", new { role = "owner" }, ben)).ExpectError(403, "access_denied", "owner");
        (await server.SendAsync(HttpMethod.Patch, $"/api/workspaces/{workspace}/members/{owner}", new { role = "viewer" }, ben)).ExpectError(400, "invalid_field");
        (await server.DeleteAsync($"/api/workspaces/{workspace}/members/{owner}", ben)).ExpectError(400, "invalid_field");
        (await server.SendAsync(HttpMethod.Patch, $"/api/workspaces/{workspace}/members/{annId}", new { role = "owner" })).Expect(200);

        Assert.Equal(annId, (await server.GetAsync($"/api/workspaces/{workspace}", ann)).Expect(200).Text("user_id"));
        (await server.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 })).Expect(200);
        (await server.DeleteAsync($"/api/workspaces/{workspace}")).ExpectError(403, "access_denied", "admin");
        Assert.Equal(1, (await server.GetAsync("/api/billing/compute-limits", ann)).Int("computers_used"));
        Assert.Equal(0, (await server.GetAsync("/api/billing/compute-limits")).Int("computers_used"));
        (await server.DeleteAsync($"/api/workspaces/{workspace}", ann)).Expect(200);
    }
}
