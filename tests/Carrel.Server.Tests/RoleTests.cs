using Carrel.Server.Accounts;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class RoleTests
{
    private static readonly string[] Beginnings = ["/api/computers/{id}", "/api/desktops/{id}/proxy", "/api/workspaces/{id}", "/api/projects/{id}"];
    private static readonly string[] ProxiedSockets = ["/terminal", "/audio", "/events"];

    [Theory]
    [InlineData(WorkspaceRole.Viewer, "Read")]
    [InlineData(WorkspaceRole.Member, "Read Use")]
    [InlineData(WorkspaceRole.Admin, "Read Use Manage")]
    [InlineData(WorkspaceRole.Owner, "Read Use Manage Own")]
    internal void The_table_of_roles(WorkspaceRole role, string allowed) =>
        Assert.Equal(allowed, string.Join(' ', Enum.GetValues<ActionClass>().Where(action => Roles.Allows(role, action))));

    /// <summary>Nobody adds a route without saying who may use it: each stands in routes.txt, with what kind of thing it does.</summary>
    [Fact]
    public async Task Every_route_says_what_kind_of_thing_it_does()
    {
        await using var server = await RunningServer.StartAsync();
        var real = Routes(server).Select(route => $"{route.Method} {route.Path} {route.Class}").Order(StringComparer.Ordinal).ToList();
        var known = File.ReadAllLines(Path.Combine(SettingsTests.Root(), "tests", "Carrel.Server.Tests", "routes.txt"));

        var added = real.Except(known).ToList();
        var gone = known.Except(real).ToList();
        Assert.True(added.Count + gone.Count == 0, $"routes.txt lacks:\n{string.Join('\n', added)}\nand has, but nothing else does:\n{string.Join('\n', gone)}");
    }

    [Fact]
    public async Task Every_route_of_a_workspace_holds_to_the_table()
    {
        await using var server = await RunningServer.StartAsync();
        var (computer, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{computer}")).Text("workspace_id");
        var people = new Dictionary<WorkspaceRole, HttpClient> { [WorkspaceRole.Owner] = server.Client };
        foreach (var role in new[] { WorkspaceRole.Viewer, WorkspaceRole.Member, WorkspaceRole.Admin })
        {
            people[role] = (await server.MemberAsync(workspace, role.Wire(), role.Wire())).Client;
        }

        var (_, stranger) = await server.UserAsync("stranger");
        var wrong = new List<string>();
        var routes = Routes(server).Where(route => OfWorkspace(route.Path)).ToList();
        Assert.True(routes.Count > 60, $"{routes.Count} routes");
        foreach (var (method, path, marked) in routes)
        {
            // Everybody may leave; another member is removed by who runs the workspace.
            var action = method == "DELETE" && path.EndsWith("/members/{user}", StringComparison.Ordinal) ? ActionClass.Manage : marked;
            var about = path.StartsWith("/api/workspaces", StringComparison.Ordinal) || path.StartsWith("/api/projects", StringComparison.Ordinal) ? workspace : computer;
            var address = Address(path, about);
            var hidden = await server.SendAsync(new HttpMethod(method), address, Body(method), stranger);
            Check(hidden.Status == 404 && (method == "HEAD" || hidden.Text("code") == "not_found"), "stranger", hidden);
            foreach (var (role, client) in people)
            {
                // What is allowed is tried too, but for what would end the computer or the workspace.
                var allowed = Roles.Allows(role, action);
                if (allowed && (method == "DELETE" || path.EndsWith("/delete", StringComparison.Ordinal)) && action != ActionClass.Use && action != ActionClass.Read)
                {
                    continue;
                }

                var answer = await server.SendAsync(new HttpMethod(method), address, Body(method), client);
                Check(allowed ? answer.Status != 403 : answer.Status == 403 && (method == "HEAD" || answer.Text("code") == "access_denied"), role.Wire(), answer);
            }

            void Check(bool right, string who, Answer answer)
            {
                if (!right)
                {
                    wrong.Add($"{method} {path} ({action}) as {who}: {answer.Status} {answer.Body}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Who_may_only_look_is_told_no_secret()
    {
        await using var server = await RunningServer.StartAsync();
        var (computer, machine) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{computer}")).Text("workspace_id");
        var (_, viewer) = await server.MemberAsync(workspace, "viewer", "viewer");
        var (_, member) = await server.MemberAsync(workspace, "member", "member");

        foreach (var path in new[] { $"/api/computers/{computer}", $"/api/workspaces/{workspace}", "/api/workspaces" })
        {
            var seen = (await server.GetAsync(path, viewer)).Expect(200).Body;
            Assert.Contains(computer, seen, StringComparison.Ordinal);
            Assert.DoesNotContain(machine.Identity!.Token, seen, StringComparison.Ordinal);
            Assert.DoesNotContain(machine.Identity.VncPassword, seen, StringComparison.Ordinal);
            Assert.Contains(machine.Identity.VncPassword, (await server.GetAsync(path, member)).Expect(200).Body, StringComparison.Ordinal);
        }

        Assert.Equal((false, false), Permissions(await server.GetAsync($"/api/computers/{computer}", viewer)));
        Assert.Equal((true, false), Permissions(await server.GetAsync($"/api/computers/{computer}", member)));
        Assert.Equal((true, true), Permissions(await server.GetAsync($"/api/computers/{computer}")));
        (await server.GetAsync($"/api/computers/{computer}/screenshot?response_format=base64", viewer)).Expect(200);
        (await server.GetAsync($"/api/computers/{computer}/vnc-password", viewer)).ExpectError(403, "access_denied", "viewer");
        (await server.PostAsync($"/api/computers/{computer}/click", new { x = 1, y = 1 }, viewer)).ExpectError(403, "access_denied");
        (await server.PostAsync($"/api/desktops/{computer}/proxy/click", new { x = 1, y = 1 }, viewer)).ExpectError(403, "access_denied");
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "x" }, viewer)).ExpectError(403, "access_denied");
    }

    private static (bool Write, bool Manage) Permissions(Answer computer)
    {
        var permissions = computer.Expect(200).Json.GetProperty("permissions");
        return (permissions.GetProperty("canWrite").GetBoolean(), permissions.GetProperty("canManage").GetBoolean());
    }

    private static IEnumerable<(string Method, string Path, ActionClass Class)> Routes(RunningServer server) =>
        server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["ANY"])
                .Select(method => (method, "/" + endpoint.RoutePattern.RawText!.Trim('/'), Needs.Of(endpoint, method))));

    private static bool OfWorkspace(string path) =>
        Beginnings.Any(start => path.StartsWith(start, StringComparison.Ordinal))
        && !ProxiedSockets.Any(socket => path.EndsWith("/proxy" + socket, StringComparison.Ordinal));

    private static string Address(string path, string id) => path
        .Replace("{id}", id, StringComparison.Ordinal).Replace("{**path}", "root/x", StringComparison.Ordinal).Replace("{port}", "8000", StringComparison.Ordinal)
        .Replace("{operation}", Guid.Empty.ToString(), StringComparison.Ordinal).Replace("{recording}", Guid.Empty.ToString(), StringComparison.Ordinal)
        .Replace("{screen}", "screen-100", StringComparison.Ordinal).Replace("{user}", Guid.Empty.ToString(), StringComparison.Ordinal)
        .Replace("{name}", "x", StringComparison.Ordinal).Replace("{snapshot}", Guid.Empty.ToString(), StringComparison.Ordinal);

    private static string? Body(string method) => method is "POST" or "PUT" or "PATCH" ? "{}" : null;
}
