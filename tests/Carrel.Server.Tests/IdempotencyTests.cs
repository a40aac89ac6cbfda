using System.Net.Http.Json;
using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Idempotency;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Dapper;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>A POST that creates something and is repeated with its Idempotency-Key is done once.</summary>
public sealed class IdempotencyTests
{
    private static Task<Answer> CreateAsync(RunningServer server, string workspace, string key, string name = "a", HttpClient? client = null) =>
        server.SendAsync(HttpMethod.Post, "/api/computers", new { workspace_id = workspace, name }, client, key);

    private static bool IsReplayed(Answer answer) => answer.Headers.TryGetValues(IdempotentRequests.ReplayedHeader, out _);

    [Fact]
    public async Task A_repetition_is_answered_as_the_first_was_and_makes_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var first = (await CreateAsync(server, workspace, "k")).Expect(201);
        (await server.PostAsync($"/api/computers/{first.Text("id")}/stop")).Expect(200);
        var second = (await CreateAsync(server, workspace, "k")).Expect(201);

        Assert.Equal((first.Body, first.MediaType), (second.Body, second.MediaType));
        Assert.Equal((false, true), (IsReplayed(first), IsReplayed(second)));
        Assert.NotEqual(first.Headers.GetValues("X-Request-Id"), second.Headers.GetValues("X-Request-Id"));
        Assert.Single(server.World.Disks);
        (await CreateAsync(server, workspace, "other")).ExpectError(409, "name_taken");
    }

    [Fact]
    public async Task Another_request_with_the_key_is_refused()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        (await CreateAsync(server, workspace, "k")).Expect(201);

        (await CreateAsync(server, workspace, "k", "b")).ExpectError(422, "idempotency_key_reused");
        (await server.SendAsync(HttpMethod.Post, "/api/workspaces", new { workspace_id = workspace, name = "a" }, key: "k")).ExpectError(422, "idempotency_key_reused");
        (await server.SendAsync(HttpMethod.Post, "/api/computers?async=true", new { workspace_id = workspace, name = "a" }, key: "k")).ExpectError(422, "idempotency_key_reused");
        (await CreateAsync(server, workspace, new string('k', 256))).ExpectError(400, "invalid_field", "Idempotency-Key");
        (await CreateAsync(server, workspace, new string('k', 255), "c")).Expect(201);
    }

    [Fact]
    public async Task Each_caller_has_keys_of_its_own()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var account = (await server.GetAsync($"/api/workspaces/{workspace}")).Text("user_id");
        using var other = server.ClientWith(await server.Get<KeyRing>().CreateAsync(account, null, "other"));
        (await CreateAsync(server, workspace, "k")).Expect(201);

        (await CreateAsync(server, workspace, "k", "b", other)).Expect(201);
    }

    [Fact]
    public async Task A_repetition_waits_for_the_first()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var gate = server.World.HoldAt("launch");
        var first = CreateAsync(server, workspace, "k");
        await gate.Reached;

        var others = Enumerable.Range(0, 20).Select(_ => CreateAsync(server, workspace, "k")).ToArray();
        gate.Open();

        var made = (await first).Expect(201);
        Assert.All(await Task.WhenAll(others), answer => Assert.Equal(made.Body, answer.Expect(201).Body));
        Assert.Single(server.World.Disks);
    }

    [Fact]
    public async Task The_work_is_finished_for_a_client_that_went_away_and_answered_to_it_when_it_comes_back()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var gate = server.World.HoldAt("launch");
        using var gone = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/computers") { Content = JsonContent.Create(new { workspace_id = workspace, name = "a" }) };
        request.Headers.Add("Idempotency-Key", "k");
        var first = server.Client.SendAsync(request, gone.Token);
        await gate.Reached;
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var second = CreateAsync(server, workspace, "k");
        gate.Open();

        Assert.Equal("running", (await second).Expect(201).Text("status"));
        Assert.True(IsReplayed(await second));
        Assert.Single(server.World.Disks);
    }

    [Fact]
    public async Task An_answer_that_invites_a_repetition_is_not_kept_and_others_are()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        server.World.Fails = (step, _) => step == "launch" ? new Failure(ErrorCodes.LaunchFailed, "No luck.") : null;
        (await CreateAsync(server, workspace, "k")).ExpectError(500, "launch_failed");
        server.World.Fails = (_, _) => null;
        (await CreateAsync(server, workspace, "k")).Expect(201);

        (await CreateAsync(server, workspace, "l")).ExpectError(409, "name_taken");
        var id = (await CreateAsync(server, workspace, "k")).Text("id");
        (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        var replayed = await CreateAsync(server, workspace, "l");
        Assert.Equal((409, "name_taken", true), (replayed.Status, replayed.Text("code"), IsReplayed(replayed)));
    }

    [Fact]
    public async Task A_key_is_forgotten_after_a_day_and_its_answer_is_not_readable_in_the_database()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var secret = (await CreateAsync(server, workspace, "k")).Expect(201).Text("vnc_password");
        var kept = await server.Get<Database>().ReadAsync(connection => connection.QuerySingleAsync<string>("SELECT answer FROM idempotency_keys"));
        Assert.DoesNotContain(secret, kept, StringComparison.Ordinal);

        server.Clock.Ahead += TimeSpan.FromHours(25);
        (await CreateAsync(server, workspace, "k", "b")).Expect(201);
        server.Clock.Ahead += TimeSpan.FromHours(25);
        Assert.Equal(1, await server.Get<IdempotencyStore>().SweepAsync());
    }

    [Theory]
    [InlineData("/api/workspaces", 201)]
    [InlineData("/api/projects", 201)]
    [InlineData("/api/stream/connections", 201)]
    [InlineData("/api/computers/{0}/screens", 201)]
    [InlineData("/api/files/upload", 200)]
    public async Task It_holds_for_all_that_creates(string path, int status)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        async Task<Answer> SendAsync() => await server.SendAsync(
            HttpMethod.Post,
            string.Format(null, path, id),
            path.EndsWith("upload", StringComparison.Ordinal)
                ? new MultipartFormDataContent { { new StringContent(workspace), "projectId" }, { new ByteArrayContent([1, 2]), "file", "there.bin" } }
                : new { name = "new", url = "rtmp://example.org/live" },
            key: "k");

        var first = (await SendAsync()).Expect(status);
        var requests = machine.Requests.Count;
        var second = (await SendAsync()).Expect(status);

        Assert.Equal((first.Body, true), (second.Body, IsReplayed(second)));
        Assert.Equal(requests, machine.Requests.Count);
    }

    [Fact]
    public async Task After_a_crash_what_was_made_is_answered_and_what_was_not_is_made()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var workspace = await first.WorkspaceAsync();
        var made = (await CreateAsync(first, workspace, "made")).Expect(201);
        (await first.SendAsync(HttpMethod.Post, "/api/workspaces", new { name = "new" }, key: "workspace")).Expect(201);

        // As if the server had died after it was made and before its answer was kept.
        await first.Get<Database>().WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("UPDATE idempotency_keys SET answer = NULL", transaction: transaction));
        var gate = world.HoldAt("launch:done");
        var cut = CreateAsync(first, workspace, "cut", "b");
        await gate.Reached;
        await first.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => cut);
        world.At = (_, _) => Task.CompletedTask;

        await using var second = await RunningServer.StartAsync(world, first.Data);
        var again = (await CreateAsync(second, workspace, "made")).Expect(201);
        Assert.Equal((made.Text("id"), true), (again.Text("id"), IsReplayed(again)));
        Assert.True(IsReplayed((await second.SendAsync(HttpMethod.Post, "/api/workspaces", new { name = "new" }, key: "workspace")).Expect(201)));
        var anew = (await CreateAsync(second, workspace, "cut", "b")).Expect(201);
        Assert.False(IsReplayed(anew));
        Assert.Equal(anew.Body, (await CreateAsync(second, workspace, "cut", "b")).Expect(201).Body);
        Assert.Equal(2, second.Get<ComputerRegistry>().All.Count);
    }
}
