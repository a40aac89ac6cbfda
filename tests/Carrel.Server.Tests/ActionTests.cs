using System.Text;
using Carrel.Server.Actions;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class ActionTests(SharedServer shared) : IClassFixture<SharedServer>
{
    public static TheoryData<string, string> Paths() => new(DeskAction.All.SelectMany(action => action.Names.Select(name => (name, action.Path))));

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task An_action_travels_to_the_desktop_as_it_came_and_its_answer_back(string name, string path)
    {
        var server = shared.Server;
        var (id, machine) = await server.ComputerAsync(name);
        const string Body = """{ "x" : 1,"text":"\u00e9 é 😀", "odd" : [1, 2 ] }""";

        var answer = (await server.PostAsync($"/api/computers/{id}/{name}?settle=true&settle_ms=50", Body)).Expect(200);

        var seen = machine.Requests.Last();
        Assert.Equal(("POST", path, "?settle=true&settle_ms=50", Body), (seen.Method, seen.Path, seen.Query, seen.Body));
        Assert.Equal($$"""{"success":true,"action":"{{path[1..]}}","details":{{Body}} }""", answer.Body);
        Assert.Equal("application/json", answer.MediaType);
    }

    [Fact]
    public async Task A_command_of_a_megabyte_passes_and_a_body_beyond_the_limit_is_413()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var command = new string('x', 1_000_000);

        (await server.PostAsync($"/api/computers/{id}/bash", new { command })).Expect(200);
        Assert.Contains(command, machine.Requests.Last().Body, StringComparison.Ordinal);
        (await server.PostAsync($"/api/computers/{id}/bash", new { command = command + command + command })).ExpectError(413, "payload_too_large");
    }

    [Fact]
    public async Task The_desktops_own_refusal_is_relayed_with_what_the_server_knows()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = AnswerWith(400, """{"error":"The field x is off the screen.","code":"invalid_field","field":"x"}""");

        var refused = (await server.PostAsync($"/api/computers/{id}/click", new { x = 99999, y = 1 })).ExpectError(400, "invalid_field", "field x");
        Assert.Equal(400, refused.Int("upstream_status"));
    }

    [Theory]
    [InlineData(500, "click", 424, "outcome_unknown")]
    [InlineData(503, "click", 503, "desktop_unreachable")]
    [InlineData(409, "click", 409, "x")]
    [InlineData(500, "wait", 502, "desktop_failed")]
    [InlineData(302, "bash", 424, "outcome_unknown")]
    public async Task A_failing_desktop_is_never_a_5xx_for_what_may_have_happened(int upstream, string action, int status, string code)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = AnswerWith(upstream, """{"error":"It broke.","code":"x"}""");

        Assert.Equal(upstream, (await server.PostAsync($"/api/computers/{id}/{action}", new { })).ExpectError(status, code, "It broke").Int("upstream_status"));
    }

    [Fact]
    public async Task A_desktop_that_cannot_be_reached_is_503()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Unreachable = true;
        machine.BreakConnections();

        var answer = (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).ExpectError(503, "desktop_unreachable", "Could not reach the desktop");
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("bash", 424, "outcome_unknown")]
    [InlineData("wait", 503, "desktop_unreachable")]
    public async Task A_connection_that_breaks_after_the_request_was_sent_says_that_it_may_have_happened(string action, int status, string code)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = (context, seen) =>
        {
            machine.BreakConnections();
            return Task.FromResult(true);
        };

        (await server.PostAsync($"/api/computers/{id}/{action}", new { command = "true" })).ExpectError(status, code);
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_middle_of_the_answer_says_that_it_may_have_happened()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync("{"u8.ToArray());
            await context.Response.Body.FlushAsync();
            machine.BreakConnections();
            return true;
        };

        (await server.PostAsync($"/api/computers/{id}/bash", new { command = "true" })).ExpectError(424, "outcome_unknown");
    }

    [Theory]
    [InlineData("bash", """{"command":"x","timeout":1}""", 424, "outcome_unknown")]
    [InlineData("click", "{}", 424, "outcome_unknown")]
    [InlineData("wait", "{}", 504, "desktop_timeout")]
    public async Task A_desktop_that_never_answers_is_given_up_on_in_time(string action, string body, int status, string code)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            return true;
        };
        server.Clock.Speed = 100;

        (await server.PostAsync($"/api/computers/{id}/{action}", body)).ExpectError(status, code, "in time");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flood_of_an_answer_is_cut_off(bool announced)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = announced ? 1L << 40 : null;
            var chunk = new byte[1 << 20];
            for (var sent = 0; sent < 1000 && !context.RequestAborted.IsCancellationRequested; sent++)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            }

            return true;
        };

        (await server.PostAsync($"/api/computers/{id}/bash", new { command = "yes" })).ExpectError(424, "outcome_unknown", "bytes");
        machine.Answer = (_, _) => Task.FromResult(false);
        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
    }

    [Theory]
    [InlineData("text/plain", 415)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData("multipart/form-data; boundary=x", 415)]
    [InlineData("application/json; charset=utf-8", 200)]
    public async Task A_body_that_a_form_could_send_is_refused(string type, int status)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"x":1,"y":1}"""));
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        using var response = await server.Client.PostAsync(new Uri($"/api/computers/{id}/click", UriKind.Relative), content);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200, machine.Requests.Any(seen => seen.Path == "/click"));
    }

    [Fact]
    public async Task An_action_on_a_stopped_computer_says_so()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);

        (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).ExpectError(409, "not_running", "stopped");
        (await server.GetAsync($"/api/computers/{id}/screenshot")).ExpectError(409, "not_running", "stopped");
        (await server.GetAsync($"/api/desktops/{id}/proxy/health")).ExpectError(409, "not_running", "stopped");
        (await server.PostAsync($"/api/computers/{Guid.Empty}/click", new { x = 1, y = 1 })).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task The_proxy_opens_with_a_key_or_the_computers_own_secrets_and_no_others()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync("one");
        var (_, neighbour) = await server.ComputerAsync("two");

        foreach (var secret in new[] { server.Key, machine.Identity!.Token, machine.Identity.VncPassword })
        {
            using var client = server.ClientWith(secret);
            Assert.Equal("healthy", (await server.GetAsync($"/api/desktops/{machine.Id}/proxy/health", client)).Expect(200).Text("status"));
            (await server.PostAsync($"/api/desktops/{id}/proxy/mouse_move", new { x = 1, y = 1 }, client)).Expect(200);
            (await server.GetAsync($"/api/desktops/{id}/proxy/health?token={secret}", server.Anonymous)).Expect(secret == server.Key ? 401 : 200);
        }

        using var wrong = server.ClientWith(neighbour.Identity!.Token);
        (await server.GetAsync($"/api/desktops/{id}/proxy/health", wrong)).ExpectError(401, "invalid_api_key");
        (await server.GetAsync($"/api/desktops/{id}/proxy/files")).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/desktops/{id}/proxy/identity", new { })).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/desktops/{id}/proxy/health", new { })).ExpectError(405, "method_not_allowed");
    }

    [Fact]
    public async Task At_the_root_the_token_names_the_computer()
    {
        await using var server = await RunningServer.StartAsync();
        await server.ComputerAsync("one");
        var (_, machine) = await server.ComputerAsync("two");
        using var client = server.ClientWith(machine.Identity!.Token);

        (await server.PostAsync("/click", new { x = 3, y = 4 }, client)).Expect(200);
        Assert.Equal("/click", machine.Requests.Last().Path);
        (await server.GetAsync($"/health?token={machine.Identity.VncPassword}", server.Anonymous)).Expect(200);
        (await server.GetAsync("/health", server.Anonymous)).ExpectError(401, "invalid_api_key");
        (await server.PostAsync("/bash", new { command = "id" })).ExpectError(401, "invalid_api_key");
    }

    private static Func<HttpContext, Seen, Task<bool>> AnswerWith(int status, string json) => async (context, _) =>
    {
        await FakeDeskd.JsonAsync(context, json, status);
        return true;
    };
}
