using System.Net.Http.Json;
using Carrel.Server.Accounts;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Dapper;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class AccessTests
{
    [Theory]
    [InlineData(null, "missing_api_key", "Missing API key")]
    [InlineData("sk_live_0000", "invalid_api_key", "Invalid API key")]
    [InlineData("nonsense", "invalid_api_key", "Invalid API key")]
    public async Task Without_a_known_key_every_route_of_the_api_is_401(string? key, string code, string text)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        using var stranger = server.ClientWith(key);

        foreach (var (method, path) in new[]
        {
            ("GET", "/api/workspaces"), ("POST", "/api/workspaces"), ("POST", "/api/computers"), ("GET", $"/api/computers/{id}"),
            ("DELETE", $"/api/computers/{id}"), ("POST", $"/api/computers/{id}/click"), ("GET", $"/api/computers/{id}/screenshot"),
            ("GET", $"/api/computers/{id}/vnc-password"), ("POST", $"/api/computers/{id}/stop"), ("GET", $"/api/desktops/{id}/proxy/health"),
        })
        {
            (await server.SendAsync(new HttpMethod(method), path, null, stranger)).ExpectError(401, code, text);
        }
    }

    [Fact]
    public async Task A_key_of_one_workspace_opens_no_other()
    {
        await using var server = await RunningServer.StartAsync();
        var (mine, machine) = await server.ComputerAsync("mine");
        var (other, _) = await server.ComputerAsync("other");
        var workspaces = (await server.GetAsync("/api/workspaces")).Json.GetProperty("workspaces").EnumerateArray().ToDictionary(w => w.GetProperty("name").GetString()!, w => w);
        var (home, away) = (workspaces["ws-mine"].GetProperty("id").GetString()!, workspaces["ws-other"].GetProperty("id").GetString()!);
        var account = workspaces["ws-mine"].GetProperty("user_id").GetString()!;
        using var scoped = server.ClientWith(await server.Get<KeyRing>().CreateAsync(account, home, "scoped"));

        (await server.GetAsync($"/api/computers/{mine}", scoped)).Expect(200);
        (await server.PostAsync($"/api/computers/{mine}/click", new { x = 1, y = 1 }, scoped)).Expect(200);
        Assert.Equal(1, (await server.GetAsync("/api/workspaces", scoped)).Expect(200).Json.GetProperty("workspaces").GetArrayLength());
        foreach (var refused in new[]
        {
            await server.GetAsync($"/api/computers/{other}", scoped),
            await server.PostAsync($"/api/computers/{other}/click", new { x = 1, y = 1 }, scoped),
            await server.DeleteAsync($"/api/computers/{other}", scoped),
            await server.GetAsync($"/api/workspaces/{away}", scoped),
            await server.DeleteAsync($"/api/workspaces/{away}", scoped),
            await server.PostAsync("/api/computers", new { workspace_id = away, name = "x" }, scoped),
            await server.GetAsync($"/api/desktops/{other}/proxy/health", scoped),
        })
        {
            refused.ExpectError(403, "workspace_scope_mismatch");
            Assert.Equal((home, away), (refused.Text("key_workspace_id"), refused.Text("target_workspace_id")));
        }

        (await server.PostAsync("/api/workspaces", new { name = "new" }, scoped)).ExpectError(403, "workspace_scope_mismatch");
        (await server.DeleteAsync($"/api/workspaces/{home}")).Expect(200);
        (await server.GetAsync("/api/workspaces", scoped)).ExpectError(401, "invalid_api_key");
        Assert.True(machine.Completion.IsCompleted);
    }

    [Fact]
    public async Task Another_account_sees_nothing_of_ours()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        await server.Get<Database>().WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("INSERT INTO accounts (id, name, created_at) VALUES ('other', 'other', 0)", transaction: transaction));
        using var stranger = server.ClientWith(await server.Get<KeyRing>().CreateAsync("other", null, "theirs"));

        Assert.Equal(0, (await server.GetAsync("/api/workspaces", stranger)).Json.GetProperty("workspaces").GetArrayLength());
        (await server.GetAsync($"/api/computers/{id}", stranger)).ExpectError(404, "not_found");
        (await server.DeleteAsync($"/api/workspaces/{workspace}", stranger)).ExpectError(404, "not_found");
        (await server.PostAsync("/api/workspaces", new { name = "ws-hello" }, stranger)).Expect(201);
    }

    [Fact]
    public async Task The_admin_key_is_in_a_private_file_and_the_database_holds_no_secret()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        Assert.Matches("^sk_live_[0-9a-f]{48}$", server.Key);
        foreach (var file in new[] { "admin.key", "secrets.key" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.Data, file)));
        }

        foreach (var file in Directory.GetFiles(server.Data, "carrel.db*"))
        {
            var bytes = System.Text.Encoding.Latin1.GetString(await ReadSharedAsync(file));
            Assert.DoesNotContain(server.Key, bytes, StringComparison.Ordinal);
            Assert.DoesNotContain(machine.Identity!.Token, bytes, StringComparison.Ordinal);
            Assert.DoesNotContain(machine.Identity.VncPassword, bytes, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_browser_session_reads_and_writes_from_our_own_pages_only()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.PostAsync("/login", new { key = "sk_live_wrong" }, server.Anonymous)).ExpectError(401, "invalid_api_key");
        var login = (await server.PostAsync("/login", new { key = server.Key }, server.Anonymous)).Expect(200);
        var cookie = login.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(server.Key, cookie, StringComparison.Ordinal);
        var session = cookie.Split(';')[0];

        (await SendAsync(server, HttpMethod.Get, session, null)).Expect(200);
        (await SendAsync(server, HttpMethod.Post, session, null)).ExpectError(403, "access_denied");
        (await SendAsync(server, HttpMethod.Post, session, "https://evil.example")).ExpectError(403, "access_denied");
        (await SendAsync(server, HttpMethod.Post, session, server.Address.GetLeftPart(UriPartial.Authority))).Expect(201);
        (await SendAsync(server, HttpMethod.Get, session + "0", null)).ExpectError(401, "invalid_api_key", "expired");
        (await SendAsync(server, HttpMethod.Get, "carrel_session=x", null)).ExpectError(401, "invalid_api_key", "expired");
        server.Clock.Ahead = TimeSpan.FromDays(8);
        (await SendAsync(server, HttpMethod.Get, session, null)).ExpectError(401, "invalid_api_key", "Your session has expired");
    }

    private static async Task<Answer> SendAsync(RunningServer server, HttpMethod method, string cookie, string? origin)
    {
        using var request = new HttpRequestMessage(method, "/api/workspaces");
        request.Headers.Add("Cookie", cookie);
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (method == HttpMethod.Post)
        {
            request.Content = JsonContent.Create(new { name = "by-browser" });
        }

        using var response = await server.Anonymous.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }
}
