using Carrel.Server.Accounts;

namespace Carrel.Server.Tests.Fakes;

/// <summary>Users of a test, each with a client of their own.</summary>
internal static class People
{
    public static async Task<(string Id, HttpClient Client)> UserAsync(this RunningServer server, string name, string role = "user", string? plan = null)
    {
        var made = await server.PostAsync("/api/users", new { email = $"{name}@example.org", name, role, plan });
        var id = made.Expect(201).Text("id");
        return (id, server.ClientWith(await server.Get<KeyRing>().CreateAsync(id, null, name)));
    }

    /// <summary>A user whom a workspace is shared with.</summary>
    public static async Task<(string Id, HttpClient Client)> MemberAsync(this RunningServer server, string workspace, string name, string role)
    {
        var user = await server.UserAsync(name);
        (await server.PostAsync($"/api/workspaces/{workspace}/members", new { email = $"{name}@example.org", role })).Expect(201);
        return user;
    }
}
