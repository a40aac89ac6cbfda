using System.Net.WebSockets;
using Carrel.Contracts;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Carrel.Server.Tests.Fakes.Sockets;

namespace Carrel.Server.Tests;

/// <summary>A computer with auto_start that does not run is started by whoever needs its desktop, and may.</summary>
public sealed class WakeTests
{
    private static int Launches(RunningServer server) => server.World.Steps.Count(step => step.Step == "launch");

    private static async Task<(string Id, FakeMachine Machine)> StoppedAsync(RunningServer server, bool autoStart = true)
    {
        var (id, machine) = await server.ComputerAsync();
        (await server.PatchAsync($"/api/computers/{id}", new { auto_start = autoStart })).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        return (id, machine);
    }

    [Theory]
    [InlineData("POST", "/api/computers/{0}/click")]
    [InlineData("POST", "/api/computers/{0}/bash")]
    [InlineData("GET", "/api/computers/{0}/screenshot?response_format=binary")]
    [InlineData("GET", "/api/computers/{0}/clipboard")]
    [InlineData("POST", "/api/desktops/{0}/proxy/click")]
    [InlineData("GET", "/api/desktops/{0}/proxy/screenshot")]
    public async Task A_call_that_needs_the_desktop_starts_it_and_is_served(string method, string path)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await StoppedAsync(server);

        (await server.SendAsync(new HttpMethod(method), string.Format(null, path, id), method == "POST" ? new { x = 1, y = 1 } : null)).Expect(200);

        Assert.Equal("running", await server.StatusAsync(id));
        Assert.Equal(2, Launches(server));
    }

    [Fact]
    public async Task What_only_looks_starts_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await StoppedAsync(server);

        foreach (var path in new[] { "", "/auto-stop", "/operations", "/stream/status", "/recordings", "/events" })
        {
            (await server.GetAsync($"/api/computers/{id}{path}")).Expect(200);
        }

        (await server.PostAsync($"/api/computers/{id}/stream/stop")).Expect(200);
        (await server.GetAsync($"/api/computers/{id}/vnc-password")).ExpectError(409, "not_running");
        foreach (var endpoint in new[] { "health", "status", "schema", "metrics" })
        {
            (await server.GetAsync($"/api/desktops/{id}/proxy/{endpoint}")).ExpectError(409, "not_running");
        }

        Assert.Equal(1, Launches(server));
    }

    [Fact]
    public async Task Who_may_not_use_it_starts_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await StoppedAsync(server);
        var (password, token) = (machine.Identity!.VncPassword, machine.Identity.Token);
        using var old = server.ClientWith(token);

        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 }, server.Anonymous)).ExpectError(401, "missing_api_key");
        (await server.PostAsync($"/api/desktops/{id}/proxy/click", new { x = 1, y = 1 }, old)).ExpectError(401, "invalid_api_key");
        (await server.GetAsync($"/desktops/{id}/ports/3000/", old)).ExpectError(401, "invalid_api_key");
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={password}", 4401);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/terminal?token={token}", 4401);
        await AssertClosedAsync(server, $"/websockify?token={password}", 4401);

        Assert.Equal(1, Launches(server));
    }

    [Fact]
    public async Task Without_auto_start_nothing_changes()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await StoppedAsync(server, autoStart: false);

        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).ExpectError(409, "not_running", "stopped");
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}", 4404);
        Assert.Equal(1, Launches(server));
    }

    [Fact]
    public async Task A_hundred_at_once_start_it_once_and_are_all_served()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await StoppedAsync(server);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(at => server.PostAsync($"/api/computers/{id}/click", new { x = at, y = 1 })));

        Assert.All(answers, answer => answer.Expect(200));
        Assert.Equal(2, Launches(server));
        Assert.Equal(100, server.World.Machines.Values.Single().Requests.Count(request => request.Path == "/click"));
    }

    [Fact]
    public async Task A_start_that_fails_is_503_for_who_waits_and_the_call_was_not_made()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await StoppedAsync(server);
        server.World.Fails = (step, _) => step == "resize" ? new Failure(ErrorCodes.HostDiskFull, "No room.") : null;

        var refused = (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).ExpectError(503, "wake_failed", "No room");
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Contains("not carried out", refused.Text("error"), StringComparison.Ordinal);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}", 4500);
        Assert.Equal("stopped", await server.StatusAsync(id));

        server.World.Fails = (_, _) => null;
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
        Assert.Equal(1, server.World.Machines.Values.Single().Requests.Count(request => request.Path == "/click"));
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("restart")]
    public async Task A_call_during_a_stop_or_restart_waits_and_is_served(string command)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.PatchAsync($"/api/computers/{id}", new { auto_start = true })).Expect(200);
        var gate = server.World.HoldAt("stop");
        var ordered = server.PostAsync($"/api/computers/{id}/{command}");
        await gate.Reached;

        var click = server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 });
        gate.Open();

        (await ordered).Expect(200);
        (await click).Expect(200);
        Assert.Equal(2, Launches(server));
    }

    [Fact]
    public async Task Sockets_start_it_with_a_key()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await StoppedAsync(server);

        using (var vnc = await OpenAsync(server, $"/desktops/{id}/ws/websockify?token={server.Key}"))
        {
            Assert.Equal(FakeVnc.Greeting, await ReadAsync(vnc, FakeVnc.Greeting.Length));
        }

        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        using var terminal = await OpenAsync(server, $"/desktops/{id}/ws/terminal", server.Key);
        await terminal.SendAsync("{}"u8.ToArray(), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        Assert.Equal("{}"u8.ToArray(), await ReadAsync(terminal, 2));
        Assert.Equal(3, Launches(server));
    }

    [Fact]
    public async Task A_port_starts_it_by_key_and_by_a_link_that_goes_on_for_whoever_has_it()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        (await server.PatchAsync($"/api/computers/{id}", new { auto_start = true })).Expect(200);
        await using var inside = await InsideServer.StartAsync(machine, context => context.Response.WriteAsync("served"));
        server.World.Made = made => made.Answer = machine.Answer;
        var link = new Uri((await server.PostAsync($"/api/computers/{id}/ports/{inside.Port}/link")).Expect(201).Text("url")).Query;
        var port = $"/desktops/{machine.Id}/ports/{inside.Port}/";

        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        Assert.Equal("served", (await server.GetAsync(port)).Expect(200).Body);

        // That start ended the link, as every start does.
        (await server.GetAsync(port + link, server.Anonymous)).ExpectError(401, "invalid_api_key");
        link = new Uri((await server.PostAsync($"/api/computers/{id}/ports/{inside.Port}/link")).Expect(201).Text("url")).Query;
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        var woken = (await server.GetAsync(port + link, server.Anonymous)).Expect(200);
        Assert.Equal("served", woken.Body);
        using var again = new HttpRequestMessage(HttpMethod.Get, port);
        again.Headers.Add("Cookie", woken.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        using var answer = await server.Anonymous.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(3, Launches(server));
    }

    [Fact]
    public async Task A_computer_is_made_with_auto_start_or_without()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var with = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a", auto_start = true })).Expect(201);
        var without = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "b" })).Expect(201);

        Assert.True(with.Json.GetProperty("auto_start").GetBoolean());
        Assert.False(without.Json.GetProperty("auto_start").GetBoolean());
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "c", auto_start = 1 })).ExpectError(400, "invalid_field", "auto_start");
    }
}
