using System.Text.Json;
using Carrel.Server.Audit;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class AuditTests
{
    [Fact]
    public async Task What_changes_something_is_told_and_what_only_looks_or_clicks_is_not()
    {
        await using var server = await RunningServer.StartAsync();
        var (computer, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{computer}")).Text("workspace_id");
        (await server.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 })).Expect(200);
        (await server.PostAsync($"/api/computers/{computer}/stop")).Expect(200);
        (await server.PostAsync($"/api/computers/{computer}/stop")).Expect(409);
        var key = (await server.PostAsync("/api/api-keys", new { name = "ci" })).Expect(201);
        (await server.DeleteAsync($"/api/computers/{computer}")).Expect(200);

        var entries = await EntriesAsync(server);
        Assert.Equal(
            ["deleteComputer 200", "createApiKey 201", "stopComputer 409", "stopComputer 200", "createComputer 201", "createWorkspace 201"],
            entries.Select(entry => $"{Text(entry, "action")} {entry.GetProperty("status").GetInt32()}"));
        Assert.All(entries.Where(entry => Text(entry, "target_kind") == "computer"), entry =>
        {
            Assert.Equal((computer, workspace, "admin@localhost"), (Text(entry, "target_id"), Text(entry, "workspace_id"), Text(entry, "user")));
            Assert.NotNull(Text(entry, "key_id"));
            Assert.NotEqual("", Text(entry, "address"));
        });
        Assert.Equal(4, entries.Count(entry => Text(entry, "target_kind") == "computer"));
        Assert.Equal(key.Text("id"), Text(entries[1], "target_id"));
        Assert.Equal("ci", entries[1].GetProperty("details").GetProperty("name").GetString());
        Assert.DoesNotContain("sk_live", (await server.GetAsync("/api/audit-log")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logins_are_told_also_those_that_fail()
    {
        await using var server = await RunningServer.StartAsync();
        var id = (await server.PostAsync("/api/users", new { email = "ann@example.org", password = "a good long one" })).Expect(201).Text("id");
        (await server.PostAsync("/api/auth/login", new { email = "ann@example.org", password = "a bad long one" }, server.Anonymous)).Expect(401);
        (await server.PostAsync("/api/auth/login", new { email = "ann@example.org", password = "a good long one" }, server.Anonymous)).Expect(200);
        (await server.PostAsync("/login", new { key = server.Key }, server.Anonymous)).Expect(200);
        (await server.PostAsync("/login", new { key = "sk_live_wrong" }, server.Anonymous)).Expect(401);
        (await server.PostAsync("/login", "{", server.Anonymous)).Expect(400);
        (await server.PostAsync("/logout", null, server.Anonymous)).Expect(200);

        var entries = await EntriesAsync(server);
        Assert.Equal(
            ["logIn 401 ", "logIn 200 admin@localhost", "logInWithPassword 200 ann@example.org", "logInWithPassword 401 ann@example.org", "createUser 201 admin@localhost"],
            entries.Select(entry => $"{Text(entry, "action")} {entry.GetProperty("status").GetInt32()} {Text(entry, "user")}"));
        Assert.Equal(id, Text(entries[2], "user_id"));
        Assert.DoesNotContain("long one", (await server.GetAsync("/api/audit-log")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_looked_through_by_who_what_where_and_when_page_by_page()
    {
        await using var server = await RunningServer.StartAsync();
        var begun = server.Clock.GetUtcNow();
        var (ann, annClient) = await server.UserAsync("ann");
        for (var index = 0; index < 5; index++)
        {
            (await server.PostAsync("/api/workspaces", new { name = $"w{index}" }, annClient)).Expect(201);
        }

        server.Clock.Ahead = TimeSpan.FromHours(1);
        var last = (await server.PostAsync("/api/workspaces", new { name = "last" }, annClient)).Expect(201).Text("id");
        Assert.Equal(6, (await EntriesAsync(server, $"?user={ann}")).Count);
        Assert.Equal(6, (await EntriesAsync(server, "?user=Ann@example.org&action=createWorkspace")).Count);
        Assert.Equal(last, Text(Assert.Single(await EntriesAsync(server, $"?workspace_id={last}")), "target_id"));
        Assert.Single(await EntriesAsync(server, $"?target={last}"));
        Assert.Single(await EntriesAsync(server, $"?from={Uri.EscapeDataString(begun.AddMinutes(30).ToString("O"))}"));
        Assert.Equal(6, (await EntriesAsync(server, $"?to={Uri.EscapeDataString(begun.AddMinutes(30).ToString("O"))}")).Count);
        Assert.Empty(await EntriesAsync(server, "?action=nothing"));

        var seen = new List<string?>();
        var cursor = "";
        do
        {
            var page = (await server.GetAsync($"/api/audit-log?user={ann}&limit=4{cursor}")).Expect(200).Json;
            seen.AddRange(page.GetProperty("entries").EnumerateArray().Select(entry => Text(entry, "id")));
            cursor = Text(page, "next_cursor") is { } next ? $"&cursor={next}" : "";
        }
        while (cursor.Length > 0);
        Assert.Equal(6, seen.Distinct().Count());
        Assert.Equal(seen.OrderDescending(StringComparer.Ordinal), seen);
        (await server.GetAsync("/api/audit-log?limit=0")).ExpectError(400, "invalid_field", "limit");
        (await server.GetAsync("/api/audit-log?from=yesterday")).ExpectError(400, "invalid_field", "from");
    }

    [Fact]
    public async Task Owners_see_what_was_done_in_their_workspaces_and_others_see_their_own()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, owner) = await server.UserAsync("owner");
        var workspace = (await server.PostAsync("/api/workspaces", new { name = "w" }, owner)).Expect(201).Text("id");
        (await server.PostAsync($"/api/workspaces/{workspace}/members", new { email = "admin@localhost", role = "member" }, owner)).Expect(201);
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "by the member" })).Expect(201);
        var (_, stranger) = await server.UserAsync("stranger");

        Assert.Equal(["createComputer", "addWorkspaceMember", "createWorkspace"], (await EntriesAsync(server, client: owner)).Select(entry => Text(entry, "action")));
        Assert.Empty(await EntriesAsync(server, client: stranger));
        Assert.True((await EntriesAsync(server)).Count >= 5);
    }

    [Fact]
    public async Task What_was_answered_is_in_the_log_even_where_the_server_is_killed()
    {
        await using var world = new FakeWorld();
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        await using var killed = await RunningServer.StartAsync(world, data);
        (await killed.PostAsync("/api/workspaces", new { name = "w" })).Expect(201);
        await killed.KillAsync();

        await using var server = await RunningServer.StartAsync(world, data);
        Assert.Equal("createWorkspace", Text(Assert.Single(await EntriesAsync(server)), "action"));
    }

    [Fact]
    public async Task Actions_are_told_where_the_operator_wants_them_and_written_at_the_latest_at_the_end()
    {
        await using var world = new FakeWorld();
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        await using var first = await RunningServer.StartAsync(world, data, settings => settings with { AuditActions = true });
        var (computer, _) = await first.ComputerAsync();
        for (var index = 0; index < 20; index++)
        {
            (await first.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 })).Expect(200);
        }

        await first.StopAsync();
        await using var server = await RunningServer.StartAsync(world, data);
        Assert.Equal(20, (await EntriesAsync(server, "?action=clickAction&limit=1000")).Count);
    }

    [Fact]
    public async Task Old_entries_are_forgotten()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { AuditKept = TimeSpan.FromDays(30) });
        (await server.PostAsync("/api/workspaces", new { name = "old" })).Expect(201);
        server.Clock.Ahead = TimeSpan.FromDays(31);
        (await server.PostAsync("/api/workspaces", new { name = "new" })).Expect(201);

        await server.Get<Accounts.AccountUpkeep>().RunAsync();

        Assert.Single(await EntriesAsync(server));
    }

    [Fact]
    public async Task An_entry_that_comes_after_the_writer_is_written_all_the_same()
    {
        await using var server = await RunningServer.StartAsync();
        var log = server.Get<AuditLog>();
        await log.StopAsync(CancellationToken.None);

        await log.WriteAsync(new AuditEntry { Action = "late", Method = "POST" });

        Assert.Equal("late", Text(Assert.Single(await EntriesAsync(server)), "action"));
    }

    private static async Task<IReadOnlyList<JsonElement>> EntriesAsync(RunningServer server, string query = "", HttpClient? client = null) =>
        [.. (await server.GetAsync("/api/audit-log" + query, client)).Expect(200).Json.GetProperty("entries").EnumerateArray()];

    private static string? Text(JsonElement entry, string name) => entry.GetProperty(name).GetString();
}
