using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class PlanTests
{
    [Fact]
    public async Task A_hundred_creates_at_once_never_exceed_the_limit()
    {
        await using var server = await RunningServer.StartAsync();
        var user = await UserAsync(server, new { max_computers = 7 });
        var workspace = await WorkspaceAsync(server, user);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(index => CreateAsync(server, user, workspace, $"c{index}")));

        Assert.Equal(7, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ExpectError(403, "DESKTOP_LIMIT", "Computer limit reached"));
        Assert.Equal(7, (await server.GetAsync("/api/billing/compute-limits", user)).Int("computers_used"));
        Assert.Equal(7, server.World.Machines.Count);
    }

    [Fact]
    public async Task Room_that_was_not_used_is_given_back_and_stopped_computers_count()
    {
        await using var server = await RunningServer.StartAsync();
        var user = await UserAsync(server, new { max_computers = 1 });
        var workspace = await WorkspaceAsync(server, user);
        server.World.Fails = (step, _) => step == "launch" ? new Contracts.Failure("launch_failed", "no") : null;
        (await CreateAsync(server, user, workspace, "a")).ExpectError(500, "launch_failed");
        server.World.Fails = (_, _) => null;

        var id = (await CreateAsync(server, user, workspace, "a")).Expect(201).Text("id");
        (await server.PostAsync($"/api/computers/{id}/stop", null, user)).Expect(200);
        (await CreateAsync(server, user, workspace, "b")).ExpectError(403, "DESKTOP_LIMIT", "allows 1, 1 are there");
        (await server.DeleteAsync($"/api/computers/{id}", user)).Expect(200);
        (await CreateAsync(server, user, workspace, "b")).Expect(201);
    }

    [Theory]
    [InlineData("{\"max_computers\":0}", "{}", "UPGRADE_REQUIRED", "allows no computers")]
    [InlineData("{\"max_ram_gb\":4}", "{\"ram\":8}", "PER_COMPUTER_RAM_CAP", "4 GB per computer, 8 were asked for")]
    [InlineData("{\"max_cpu\":0.5}", "{\"cpu\":1}", "PER_COMPUTER_CPU_CAP", "0.5 CPUs per computer")]
    [InlineData("{\"max_disk_gb\":8}", "{\"disk_size_gb\":9}", "DISK_QUOTA_EXCEEDED", "8 GB per computer")]
    [InlineData("{\"total_ram_gb\":7}", "{\"ram\":4}", "RAM_ADDON", "RAM limit exceeded")]
    [InlineData("{\"total_cpu\":1.5}", "{\"cpu\":1}", "VCPU_ADDON", "make it 2")]
    [InlineData("{\"total_disk_gb\":10}", "{\"disk_size_gb\":8}", "DISK_QUOTA_EXCEEDED", "10 GB in all")]
    public async Task Each_limit_has_its_code_and_says_what_it_is(string plan, string wanted, string code, string text)
    {
        await using var server = await RunningServer.StartAsync();
        (await server.SendAsync(HttpMethod.Put, "/api/plans/small", plan)).Expect(201);
        var (_, user) = await server.UserAsync("user", plan: "small");
        var workspace = await WorkspaceAsync(server, user);
        if (plan.Contains("total", StringComparison.Ordinal))
        {
            (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "first", cpu = 1, ram = 4, disk_size_gb = 8 }, user)).Expect(201);
        }

        var body = wanted.Replace("{", $$"""{"workspace_id":"{{workspace}}","name":"second"{{(wanted.Length > 2 ? "," : "")}}""", StringComparison.Ordinal);
        (await server.PostAsync("/api/computers", body, user)).ExpectError(403, code, text);
    }

    [Fact]
    public async Task The_plan_of_a_shared_workspace_is_its_owner_s()
    {
        await using var server = await RunningServer.StartAsync();
        var user = await UserAsync(server, new { max_computers = 1 });
        var workspace = await WorkspaceAsync(server, user);
        (await server.PostAsync($"/api/workspaces/{workspace}/members", new { email = "admin@localhost", role = "member" }, user)).Expect(201);

        (await CreateAsync(server, server.Client, workspace, "a")).Expect(201);
        (await CreateAsync(server, server.Client, workspace, "b")).ExpectError(403, "DESKTOP_LIMIT");
        Assert.Equal(1, (await server.GetAsync($"/api/billing/compute-limits?workspace_id={workspace}")).Int("computers_used"));
        Assert.Equal(0, (await server.GetAsync("/api/account/capacity", user)).Int("computers_available"));

        // Nor does giving computers away come past a plan.
        var (mine, _) = await server.ComputerAsync("mine");
        var given = (await server.GetAsync($"/api/computers/{mine}")).Text("workspace_id");
        var member = (await server.PostAsync($"/api/workspaces/{given}/members", new { email = "limited@example.org" })).Expect(201).Text("user_id");
        (await server.SendAsync(HttpMethod.Patch, $"/api/workspaces/{given}/members/{member}", new { role = "owner" })).ExpectError(403, "DESKTOP_LIMIT", "new owner");
    }

    [Fact]
    public async Task Growing_is_held_to_the_plan_and_shrinking_is_not()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, user) = await server.UserAsync("user");
        var workspace = await WorkspaceAsync(server, user);
        var id = (await CreateAsync(server, user, workspace, "a")).Expect(201).Text("id");
        (await server.SendAsync(HttpMethod.Put, "/api/plans/unlimited", new { total_ram_gb = 8, max_cpu = 0.5 })).Expect(200);
        var record = server.Get<Computers.ComputerRegistry>().Find(id)!.State.Record;
        var guard = server.Get<Plans.PlanGuard>();

        Assert.Equal("PER_COMPUTER_CPU_CAP", guard.ForResize(record, record.Hardware with { Cpu = 2 }).Failure!.Code);
        Assert.Equal("RAM_ADDON", guard.ForResize(record, record.Hardware with { RamGb = 16 }).Failure!.Code);
        using (guard.ForResize(record, record.Hardware with { RamGb = 8 }).Value)
        {
            Assert.Equal(8, guard.UsageOf(record.AccountId).RamGb);
            (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "b", ram = 1, cpu = 0.5 }, user)).ExpectError(403, "RAM_ADDON");
        }

        Assert.Equal(4, guard.UsageOf(record.AccountId).RamGb);
        guard.ForResize(record, record.Hardware with { RamGb = 2, DiskGb = 20 }).Value.Dispose();
    }

    [Fact]
    public async Task Plans_are_the_operators_and_stay_while_somebody_has_them()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.SendAsync(HttpMethod.Put, "/api/plans/team", new { max_computers = 20, max_api_keys = 1, templates_allowed = false })).Expect(201);
        var (id, user) = await server.UserAsync("user", plan: "team");

        (await server.SendAsync(HttpMethod.Put, "/api/plans/team", new { }, user)).ExpectError(403, "access_denied");
        Assert.Contains("team", (await server.GetAsync("/api/plans", user)).Expect(200).Body, StringComparison.Ordinal);
        var subscription = (await server.GetAsync("/api/user/subscription", user)).Expect(200);
        Assert.Equal(("team", 20), (subscription.Text("tier"), subscription.Json.GetProperty("planLimits").GetProperty("maxDesktops").GetInt32()));
        (await server.PostAsync("/api/api-keys", new { name = "second" }, user)).ExpectError(403, "PLAN_LIMIT", "API key limit");
        (await server.DeleteAsync("/api/plans/team")).ExpectError(400, "invalid_field", "in use");
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{id}", new { plan = "unlimited" })).Expect(200);
        (await server.DeleteAsync("/api/plans/team")).Expect(200);
        (await server.DeleteAsync("/api/plans/team")).ExpectError(404, "not_found");
        (await server.DeleteAsync("/api/plans/unlimited")).ExpectError(400, "invalid_field");
        (await server.SendAsync(HttpMethod.Put, "/api/plans/x", new { max_computers = -1 })).ExpectError(400, "invalid_field", "max_computers");
    }

    [Fact]
    public async Task A_client_has_a_workspace_a_key_and_a_limit_of_its_own()
    {
        await using var server = await RunningServer.StartAsync();
        var made = (await server.PostAsync("/api/v1/accounts", new { external_id = "acme", max_computers = 1 })).Expect(201);
        var workspace = made.Text("workspace_id");
        using var client = server.ClientWith(made.Text("api_key"));

        (await CreateAsync(server, client, workspace, "a")).Expect(201);
        (await CreateAsync(server, client, workspace, "b")).ExpectError(403, "PLAN_LIMIT", "may have 1 computers");
        (await server.PostAsync("/api/v1/accounts", new { external_id = "acme", name = "other" })).ExpectError(409, "name_taken", "already exists");
        Assert.DoesNotContain("sk_live", (await server.GetAsync("/api/v1/accounts")).Expect(200).Body, StringComparison.Ordinal);
        (await server.DeleteAsync($"/api/workspaces/{workspace}")).Expect(200);
        Assert.Equal(0, (await server.GetAsync("/api/v1/accounts")).Json.GetProperty("accounts").GetArrayLength());
        (await server.PostAsync("/api/v1/accounts", new { external_id = "acme" })).Expect(201);
    }

    private static async Task<HttpClient> UserAsync(RunningServer server, object plan)
    {
        (await server.SendAsync(HttpMethod.Put, "/api/plans/limited", plan)).Expect(201);
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{(await server.PostAsync("/api/users", new { email = "limited@example.org" })).Text("id")}", new { plan = "limited" })).Expect(200);
        var id = server.Get<Accounts.UserDirectory>().FindByEmail("limited@example.org")!.Id;
        return server.ClientWith(await server.Get<Accounts.KeyRing>().CreateAsync(id, null, "limited"));
    }

    private static async Task<string> WorkspaceAsync(RunningServer server, HttpClient user) =>
        (await server.PostAsync("/api/workspaces", new { name = "w" }, user)).Expect(201).Text("id");

    private static Task<Answer> CreateAsync(RunningServer server, HttpClient user, string workspace, string name) =>
        server.PostAsync("/api/computers", new { workspace_id = workspace, name }, user);
}
