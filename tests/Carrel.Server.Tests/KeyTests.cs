using Carrel.Server.Accounts;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Dapper;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class KeyTests
{
    [Fact]
    public async Task A_key_is_shown_once_works_and_ends()
    {
        await using var server = await RunningServer.StartAsync();
        var made = (await server.PostAsync("/api/api-keys", new { name = "ci" })).Expect(201);
        var (id, key) = (made.Text("id"), made.Text("key"));
        Assert.Matches("^sk_live_[0-9a-f]{48}$", key);
        Assert.Equal(("ci", key[..12]), (made.Text("name"), made.Text("prefix")));
        Assert.Equal("no-store", made.Headers.CacheControl!.ToString());
        using var client = server.ClientWith(key);

        var listed = await ListedAsync(server, id);
        Assert.False(listed.TryGetProperty("key", out _));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, listed.GetProperty("last_used_at").ValueKind);
        (await server.GetAsync("/api/workspaces", client)).Expect(200);
        Assert.NotNull((await ListedAsync(server, id)).GetProperty("last_used_at").GetString());

        (await server.DeleteAsync($"/api/api-keys/{id}")).Expect(200);
        (await server.GetAsync("/api/workspaces", client)).ExpectError(401, "invalid_api_key");
        (await server.DeleteAsync($"/api/api-keys/{id}")).ExpectError(404, "not_found");
        Assert.DoesNotContain(id, (await server.GetAsync("/api/api-keys")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_last_use_and_its_end_survive_a_restart()
    {
        await using var world = new FakeWorld();
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        string key, id, gone;
        await using (var server = await RunningServer.StartAsync(world, data))
        {
            var made = (await server.PostAsync("/api/api-keys", new { name = "kept" })).Expect(201);
            (key, id) = (made.Text("key"), made.Text("id"));
            using var client = server.ClientWith(key);
            (await server.GetAsync("/api/workspaces", client)).Expect(200);
            var revoked = (await server.PostAsync("/api/api-keys", new { name = "gone" })).Expect(201);
            gone = revoked.Text("key");
            (await server.DeleteAsync($"/api/api-keys/{revoked.Text("id")}")).Expect(200);
            await server.StopAsync();
            await using var next = await RunningServer.StartAsync(world, data);
            Assert.NotNull((await ListedAsync(next, id)).GetProperty("last_used_at").GetString());
            using var after = next.ClientWith(key);
            (await next.GetAsync("/api/workspaces", after)).Expect(200);
            using var old = next.ClientWith(gone);
            (await next.GetAsync("/api/workspaces", old)).ExpectError(401, "invalid_api_key");
        }
    }

    [Fact]
    public async Task It_expires_at_its_time()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.PostAsync("/api/api-keys", new { name = "x", expires_at = "2020-01-01T00:00:00Z" })).ExpectError(400, "invalid_field", "expires_at");
        (await server.PostAsync("/api/api-keys", new { name = "x", expires_at = "soon" })).ExpectError(400, "invalid_field", "expires_at");
        var made = (await server.PostAsync("/api/api-keys", new { name = "x", expires_at = server.Clock.GetUtcNow().AddDays(1) })).Expect(201);
        using var client = server.ClientWith(made.Text("key"));

        (await server.GetAsync("/api/workspaces", client)).Expect(200);
        server.Clock.Ahead = TimeSpan.FromDays(2);
        (await server.GetAsync("/api/workspaces", client)).ExpectError(401, "invalid_api_key");
    }

    [Fact]
    public async Task A_key_of_one_workspace_makes_no_keys_and_manages_nothing_outside()
    {
        await using var server = await RunningServer.StartAsync();
        var home = await server.WorkspaceAsync("home");
        var made = (await server.PostAsync("/api/api-keys", new { name = "scoped", workspace_id = home })).Expect(201);
        Assert.Equal(home, made.Text("workspace_id"));
        using var scoped = server.ClientWith(made.Text("key"));

        (await server.GetAsync($"/api/workspaces/{home}", scoped)).Expect(200);
        foreach (var (method, path) in new[]
        {
            ("POST", "/api/api-keys"), ("GET", "/api/api-keys"), ("DELETE", $"/api/api-keys/{made.Text("id")}"), ("POST", "/api/workspaces"),
            ("GET", "/api/users"), ("POST", "/api/v1/accounts"), ("GET", "/api/audit-log"), ("POST", $"/api/workspaces/{home}/members"), ("PUT", "/api/plans/x"),
        })
        {
            (await server.SendAsync(new HttpMethod(method), path, method is "GET" or "DELETE" ? null : "{}", scoped)).ExpectError(403, "workspace_scope_mismatch");
        }

        (await server.PostAsync("/api/api-keys", new { name = "x", workspace_id = Guid.Empty })).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task A_key_can_do_what_its_maker_can_and_those_who_run_the_workspace_can_end_it()
    {
        await using var server = await RunningServer.StartAsync();
        var (computer, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{computer}")).Text("workspace_id");
        var (viewerId, viewer) = await server.MemberAsync(workspace, "viewer", "viewer");
        var (_, admin) = await server.MemberAsync(workspace, "admin", "admin");
        var (_, stranger) = await server.UserAsync("stranger");
        var made = (await server.PostAsync("/api/api-keys", new { name = "theirs", workspace_id = workspace }, viewer)).Expect(201);
        using var scoped = server.ClientWith(made.Text("key"));

        (await server.GetAsync($"/api/computers/{computer}", scoped)).Expect(200);
        (await server.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 }, scoped)).ExpectError(403, "access_denied");
        (await server.GetAsync($"/api/api-keys?workspace_id={workspace}", viewer)).ExpectError(403, "access_denied");
        (await server.GetAsync($"/api/api-keys?workspace_id={workspace}", stranger)).ExpectError(404, "not_found");
        var listed = (await server.GetAsync($"/api/api-keys?workspace_id={workspace}", admin)).Expect(200).Json.GetProperty("api_keys").EnumerateArray().Single();
        Assert.Equal((made.Text("id"), viewerId), (listed.GetProperty("id").GetString(), listed.GetProperty("user_id").GetString()));
        (await server.DeleteAsync($"/api/api-keys/{made.Text("id")}", stranger)).ExpectError(404, "not_found");
        (await server.DeleteAsync($"/api/api-keys/{made.Text("id")}", admin)).Expect(200);
        (await server.GetAsync($"/api/computers/{computer}", scoped)).ExpectError(401, "invalid_api_key");

        var left = (await server.PostAsync("/api/api-keys", new { name = "left", workspace_id = workspace }, viewer)).Expect(201);
        (await server.DeleteAsync($"/api/workspaces/{workspace}/members/{viewerId}")).Expect(200);
        using var useless = server.ClientWith(left.Text("key"));
        (await server.GetAsync($"/api/computers/{computer}", useless)).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task An_installation_from_before_there_were_users_goes_on()
    {
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        var key = KeyRing.Prefix + new string('a', 48);
        await using (var database = Database.At(await Store.ForAsync(data)))
        {
            Assert.Null(await database.OpenAsync());
            await database.WriteAsync(async (connection, transaction) =>
            {
                await connection.ExecuteAsync(
                    "CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)", transaction: transaction);
                foreach (var (number, name, sql) in Migrations.All().Where(migration => migration.Number <= 3))
                {
                    await connection.ExecuteAsync(sql, transaction: transaction);
                    await connection.ExecuteAsync("INSERT INTO schema_migrations VALUES (@number, @name, 1)", new { number, name }, transaction);
                }

                await connection.ExecuteAsync("INSERT INTO accounts (id, name, created_at) VALUES ('a1', 'admin', 5)", transaction: transaction);
                await connection.ExecuteAsync(
                    "INSERT INTO workspaces (id, account_id, name, status, created_at, updated_at) VALUES ('00000000-0000-4000-8000-000000000001', 'a1', 'old', 'active', 6, 6)",
                    transaction: transaction);
                return await connection.ExecuteAsync(
                    "INSERT INTO api_keys (id, account_id, name, hash, created_at) VALUES ('k1', 'a1', 'admin', @hash, 5)", new { hash = Secrets.Hash(key) }, transaction);
            });
        }

        await File.WriteAllTextAsync(Path.Combine(data, "admin.key"), key + "\n");
        await using var server = await RunningServer.StartAsync(data: data);

        Assert.Equal(key, server.Key);
        var workspace = (await server.GetAsync("/api/workspaces")).Expect(200).Json.GetProperty("workspaces").EnumerateArray().Single();
        Assert.Equal(("old", "owner", "a1"), (workspace.GetProperty("name").GetString(), workspace.GetProperty("role").GetString(), workspace.GetProperty("user_id").GetString()));
        var profile = (await server.GetAsync("/api/user/profile")).Expect(200);
        Assert.Equal(("a1", "admin@localhost", "operator", "unlimited"), (profile.Text("id"), profile.Text("email"), profile.Text("role"), profile.Text("plan")));
        (await server.PostAsync("/api/computers", new { workspace_id = workspace.GetProperty("id").GetString(), name = "new" })).Expect(201);
    }

    private static async Task<System.Text.Json.JsonElement> ListedAsync(RunningServer server, string id) =>
        (await server.GetAsync("/api/api-keys")).Expect(200).Json.GetProperty("api_keys").EnumerateArray().Single(key => key.GetProperty("id").GetString() == id);
}
