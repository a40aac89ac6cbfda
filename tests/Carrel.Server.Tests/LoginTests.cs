using System.Net.Http.Json;
using Carrel.Server.Accounts;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class LoginTests
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task A_user_logs_in_sees_their_sessions_and_ends_them()
    {
        await using var server = await RunningServer.StartAsync();
        await UserAsync(server, "ann");
        var login = await LogInAsync(server, "Ann@Example.org", Password);
        Assert.Equal(("ann@example.org", "user"), (login.Expect(200).Text("email"), login.Text("role")));
        var (first, second) = (Cookie(login), Cookie(await LogInAsync(server, "ann@example.org", Password)));

        Assert.Equal(login.Text("session_id"), (await CallAsync(server, HttpMethod.Get, "/api/auth/session", first)).Expect(200).Text("session_id"));
        var sessions = (await CallAsync(server, HttpMethod.Get, "/api/auth/sessions", second)).Expect(200).Json.GetProperty("sessions").EnumerateArray().ToList();
        Assert.Equal(2, sessions.Count);
        var other = sessions.Single(session => !session.GetProperty("current").GetBoolean()).GetProperty("id").GetString();
        Assert.Equal(login.Text("session_id"), other);
        (await CallAsync(server, HttpMethod.Delete, $"/api/auth/sessions/{other}", second)).Expect(200);
        (await CallAsync(server, HttpMethod.Get, "/api/auth/session", first)).ExpectError(401, "invalid_api_key", "expired");
        (await CallAsync(server, HttpMethod.Delete, $"/api/auth/sessions/{other}", second)).ExpectError(404, "not_found");

        (await CallAsync(server, HttpMethod.Post, "/api/workspaces", second, new { name = "hers" })).Expect(201);
        (await CallAsync(server, HttpMethod.Post, "/api/workspaces", second, new { name = "not hers" }, "https://evil.example")).ExpectError(403, "access_denied");
        (await CallAsync(server, HttpMethod.Post, "/api/auth/logout", second)).Expect(200);
        (await CallAsync(server, HttpMethod.Get, "/api/auth/session", second)).ExpectError(401, "invalid_api_key");
    }

    [Fact]
    public async Task A_session_outlives_the_server_but_not_its_time()
    {
        await using var world = new FakeWorld();
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        string cookie;
        await using (var server = await RunningServer.StartAsync(world, data))
        {
            await UserAsync(server, "ann");
            cookie = Cookie(await LogInAsync(server, "ann@example.org", Password));
            await server.StopAsync();
            await using var next = await RunningServer.StartAsync(world, data, settings => settings with { SessionIdle = TimeSpan.FromHours(2), SessionLifetime = TimeSpan.FromDays(1) });
            (await CallAsync(next, HttpMethod.Get, "/api/auth/session", cookie)).Expect(200);
            next.Clock.Ahead = TimeSpan.FromHours(1.5);
            (await CallAsync(next, HttpMethod.Get, "/api/auth/session", cookie)).Expect(200);
            next.Clock.Ahead = TimeSpan.FromHours(3);
            (await CallAsync(next, HttpMethod.Get, "/api/auth/session", cookie)).Expect(200);
            next.Clock.Ahead = TimeSpan.FromHours(5.5);
            (await CallAsync(next, HttpMethod.Get, "/api/auth/session", cookie)).ExpectError(401, "invalid_api_key", "expired");
        }
    }

    [Fact]
    public async Task Guessing_becomes_slow_for_who_guesses_and_for_nobody_else()
    {
        await using var server = await RunningServer.StartAsync();
        await UserAsync(server, "ann");
        for (var guess = 0; guess < 3; guess++)
        {
            (await LogInAsync(server, "ann@example.org", "a wrong password")).ExpectError(401, "invalid_credentials");
        }

        // More of them than a test has the time for.
        for (var guess = 3; guess < 15; guess++)
        {
            server.Get<LoginGuard>().Begun("127.0.0.1", "ann@example.org");
        }

        var slowed = (await LogInAsync(server, "ann@example.org", Password)).ExpectError(429, "rate_limited");
        Assert.InRange(slowed.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15));
        (await LogInAsync(server, "nobody@example.org", Password)).ExpectError(401, "invalid_credentials");
        server.Clock.Ahead += TimeSpan.FromMinutes(16);
        (await LogInAsync(server, "ann@example.org", Password)).Expect(200);
        (await LogInAsync(server, "ann@example.org", "a wrong password")).ExpectError(401, "invalid_credentials");
    }

    [Fact]
    public void Waiting_doubles_up_to_a_quarter_of_an_hour_and_one_s_own_account_is_no_way_around_it()
    {
        var clock = new ShiftedClock();
        var guard = new LoginGuard(clock);
        for (var guess = 0; guess < 30; guess++)
        {
            guard.Begun("1.2.3.4", "ann");
            guard.Begun("1.2.3.4", "mine");
            guard.Succeeded("1.2.3.4", "mine");
        }

        Assert.InRange(guard.Wait("1.2.3.4", "ann")!.Value, TimeSpan.FromMinutes(14), TimeSpan.FromMinutes(15));
        Assert.Null(guard.Wait("5.6.7.8", "ann"));
        guard.Begun("1.2.3.4", "third");
        Assert.NotNull(guard.Wait("1.2.3.4", "fourth"));
        clock.Ahead = TimeSpan.FromHours(2);
        Assert.Null(guard.Wait("1.2.3.4", "ann"));
    }

    [Fact]
    public async Task A_new_password_ends_the_other_sessions_and_needs_the_old_one()
    {
        await using var server = await RunningServer.StartAsync();
        await UserAsync(server, "ann");
        var (here, there) = (Cookie(await LogInAsync(server, "ann@example.org", Password)), Cookie(await LogInAsync(server, "ann@example.org", Password)));

        (await CallAsync(server, HttpMethod.Post, "/api/auth/password", here, new { new_password = "another password" })).ExpectError(400, "invalid_field", "current_password");
        (await CallAsync(server, HttpMethod.Post, "/api/auth/password", here, new { current_password = "not it at all", new_password = "another password" }))
            .ExpectError(401, "invalid_credentials");
        (await CallAsync(server, HttpMethod.Post, "/api/auth/password", here, new { current_password = Password, new_password = "short" })).ExpectError(400, "invalid_field", "new_password");
        (await CallAsync(server, HttpMethod.Post, "/api/auth/password", here, new { current_password = Password, new_password = "another password" })).Expect(200);

        (await CallAsync(server, HttpMethod.Get, "/api/auth/session", here)).Expect(200);
        (await CallAsync(server, HttpMethod.Get, "/api/auth/session", there)).ExpectError(401, "invalid_api_key");
        (await LogInAsync(server, "ann@example.org", Password)).ExpectError(401, "invalid_credentials");
        (await LogInAsync(server, "ann@example.org", "another password")).Expect(200);
    }

    [Fact]
    public async Task A_disabled_user_is_out_at_once_with_keys_and_sessions()
    {
        await using var server = await RunningServer.StartAsync();
        var id = await UserAsync(server, "ann");
        var cookie = Cookie(await LogInAsync(server, "ann@example.org", Password));
        using var client = server.ClientWith(await server.Get<KeyRing>().CreateAsync(id, null, "hers"));
        (await server.GetAsync("/api/workspaces", client)).Expect(200);

        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{id}", new { disabled = true })).Expect(200);
        (await server.GetAsync("/api/workspaces", client)).ExpectError(401, "invalid_api_key");
        (await CallAsync(server, HttpMethod.Get, "/api/auth/session", cookie)).ExpectError(401, "invalid_api_key");
        (await LogInAsync(server, "ann@example.org", Password)).ExpectError(401, "invalid_credentials");
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{id}", new { disabled = false })).Expect(200);
        (await server.GetAsync("/api/workspaces", client)).Expect(200);
    }

    [Fact]
    public async Task A_session_begun_with_a_key_ends_with_it()
    {
        await using var server = await RunningServer.StartAsync();
        var made = (await server.PostAsync("/api/api-keys", new { name = "browser" })).Expect(201);
        var cookie = Cookie((await server.PostAsync("/login", new { key = made.Text("key") }, server.Anonymous)).Expect(200));
        (await CallAsync(server, HttpMethod.Get, "/api/workspaces", cookie)).Expect(200);

        (await server.DeleteAsync($"/api/api-keys/{made.Text("id")}")).Expect(200);

        (await CallAsync(server, HttpMethod.Get, "/api/workspaces", cookie)).ExpectError(401, "invalid_api_key", "expired");
    }

    [Fact]
    public async Task A_password_link_works_once_and_for_a_week()
    {
        await using var server = await RunningServer.StartAsync();
        var made = (await server.PostAsync("/api/users", new { email = "ben@example.org" })).Expect(201);
        var old = Token(made);
        var token = Token((await server.PostAsync($"/api/users/{made.Text("id")}/password-link")).Expect(200));

        (await AcceptAsync(old)).ExpectError(401, "invalid_credentials");
        (await AcceptAsync(token, "short")).ExpectError(400, "invalid_field", "password");
        var accepted = await Task.WhenAll(AcceptAsync(token), AcceptAsync(token));
        Assert.Equal([200, 401], accepted.Select(answer => answer.Status).Order());
        (await CallAsync(server, HttpMethod.Get, "/api/auth/session", Cookie(accepted.Single(answer => answer.Status == 200)))).Expect(200);
        (await LogInAsync(server, "ben@example.org", Password)).Expect(200);

        var late = Token((await server.PostAsync($"/api/users/{made.Text("id")}/password-link")).Expect(200));
        server.Clock.Ahead = TimeSpan.FromDays(8);
        (await AcceptAsync(late)).ExpectError(401, "invalid_credentials");

        Task<Answer> AcceptAsync(string with, string password = Password) => server.PostAsync("/api/auth/accept", new { token = with, password }, server.Anonymous);
    }

    [Fact]
    public async Task Only_operators_manage_users_and_one_operator_remains()
    {
        await using var server = await RunningServer.StartAsync();
        var admin = (await server.GetAsync("/api/user/profile")).Text("id");
        var (id, user) = await server.UserAsync("user");

        (await server.GetAsync("/api/users", user)).ExpectError(403, "access_denied", "operators");
        (await server.PostAsync("/api/users", new { email = "x@example.org" }, user)).ExpectError(403, "access_denied");
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{admin}", new { disabled = true })).ExpectError(400, "invalid_field", "last operator");
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{admin}", new { role = "user" })).ExpectError(400, "invalid_field", "last operator");
        (await server.PostAsync("/api/users", new { email = "USER@example.org" })).ExpectError(409, "name_taken", "already exists");
        (await server.PostAsync("/api/users", new { email = "nonsense" })).ExpectError(400, "invalid_field", "email");
        (await server.PostAsync("/api/users", new { email = "y@example.org", plan = "none" })).ExpectError(400, "invalid_field", "plan");
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{id}", new { role = "operator" })).Expect(200);
        (await server.GetAsync("/api/users", user)).Expect(200);
        (await server.SendAsync(HttpMethod.Patch, $"/api/users/{admin}", new { role = "user" }, user)).Expect(200);
        (await server.GetAsync("/api/users")).ExpectError(403, "access_denied");
        Assert.DoesNotContain("pbkdf2", (await server.GetAsync("/api/users", user)).Body, StringComparison.Ordinal);
    }

    private static async Task<string> UserAsync(RunningServer server, string name) =>
        (await server.PostAsync("/api/users", new { email = $"{name}@example.org", password = Password })).Expect(201).Text("id");

    private static Task<Answer> LogInAsync(RunningServer server, string email, string password) =>
        server.PostAsync("/api/auth/login", new { email, password }, server.Anonymous);

    private static string Cookie(Answer login) => login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

    private static string Token(Answer user) => user.Text("password_link").Split("#password=")[1];

    private static async Task<Answer> CallAsync(RunningServer server, HttpMethod method, string path, string cookie, object? body = null, string? origin = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Cookie", cookie);
        request.Headers.Add("Origin", origin ?? server.Address.GetLeftPart(UriPartial.Authority));
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await server.Anonymous.SendAsync(request);
        return await Answer.ReadAsync(response);
    }
}
