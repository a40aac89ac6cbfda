using System.Net.Sockets;
using System.Text;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>A computer's files from outside.</summary>
public sealed class FileRelayTests
{
    [Theory]
    [InlineData("/etc/passwd", "/fs/etc/passwd")]
    [InlineData("/", "/fs")]
    [InlineData("", "/fs")]
    [InlineData("/~/a%20b%2525%C3%9F%FF%22", "/fs/~/a%20b%2525%C3%9F%FF%22")]
    [InlineData("/a//b/./c/../d", "/fs/a/b/d")]
    [InlineData("/..%2f..%2fidentity", "/fs/identity")]
    [InlineData("/%2e%2e%2fidentity", "/fs/identity")]
    [InlineData("/a%2fb", "/fs/a/b")]
    [InlineData("/...", "/fs/...")]
    public async Task A_path_stays_what_it_was_and_never_leaves_the_files(string path, string atDesktop)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var target = "";
        machine.Answer = async (context, _) =>
        {
            target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            await context.Response.WriteAsync("x");
            return true;
        };

        Assert.StartsWith("HTTP/1.1 200", await RawAsync(server, $"GET /api/computers/{id}/fs{path}?list=true&token=secret HTTP/1.1"), StringComparison.Ordinal);

        Assert.Equal(atDesktop + "?list=true", target);
    }

    [Fact]
    public async Task Contents_come_in_a_form_in_which_no_browser_runs_them()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            context.Response.ContentType = "text/html";
            context.Response.Headers.ContentDisposition = "inline";
            context.Response.Headers.SetCookie = "carrel_session=x";
            context.Response.Headers.ETag = "\"tag\"";
            await context.Response.WriteAsync("<script>alert(1)</script>");
            return true;
        };

        foreach (var (name, type) in new[] { ("x.html", "application/octet-stream"), ("x.svg", "application/octet-stream"), ("x", "application/octet-stream"), ("x.png", "image/png"), ("x.txt", "text/plain") })
        {
            using var answer = await server.Client.GetAsync($"/api/computers/{id}/fs/root/{name}");
            Assert.Equal((200, type), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
            Assert.Equal(("attachment", name), (answer.Content.Headers.ContentDisposition!.DispositionType, answer.Content.Headers.ContentDisposition.FileName));
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("default-src 'none'; sandbox", answer.Headers.GetValues("Content-Security-Policy").Single());
            Assert.Equal("\"tag\"", answer.Headers.ETag!.Tag);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    public async Task Every_way_in_asks_for_its_own_secret()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, seen) =>
        {
            await FakeDeskd.JsonAsync(context, $$"""{"method":"{{seen.Method}}","path":"{{seen.Path}}","body":"{{seen.Body}}"}""");
            return true;
        };
        var token = (await server.GetAsync($"/api/computers/{id}/vnc-password")).Text("desktop_api_token");
        using var direct = server.ClientWith(token);

        Assert.Equal("/fs/x", (await server.GetAsync("/fs/x", direct)).Expect(200).Text("path"));
        Assert.Equal("/fs/x", (await server.GetAsync($"/fs/x?token={token}", server.Anonymous)).Expect(200).Text("path"));
        Assert.Equal("/fs/x", (await server.GetAsync($"/api/desktops/{id}/proxy/fs/x", direct)).Expect(200).Text("path"));
        Assert.Equal("/fs/x", (await server.GetAsync($"/api/desktops/{id}/proxy/fs/x")).Expect(200).Text("path"));
        (await server.GetAsync("/fs/x", server.Anonymous)).ExpectError(401, "invalid_api_key");
        (await server.GetAsync("/fs/x")).ExpectError(401, "invalid_api_key");
        (await server.GetAsync($"/api/computers/{id}/fs/x", direct)).ExpectError(401, "invalid_api_key");
        (await server.GetAsync($"/api/computers/{id}/fs/x", server.Anonymous)).ExpectError(401, "missing_api_key");
        (await server.GetAsync("/api/computers/00000000/fs/x")).ExpectError(404, "not_found");
        Assert.Equal("DELETE", (await server.DeleteAsync($"/api/desktops/{id}/proxy/fs/x", direct)).Expect(200).Text("method"));
        (await server.SendAsync(HttpMethod.Put, $"/api/desktops/{id}/proxy/fs/x", "abc", direct)).Expect(200);
        Assert.Equal("abc", machine.Requests.Last().Body);
        Assert.Equal("POST", (await server.PostAsync($"/fs/x", null, direct)).Expect(200).Text("method"));
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        (await server.GetAsync($"/api/computers/{id}/fs/x")).ExpectError(409, "not_running");
    }

    [Theory]
    [InlineData("GET", 404, "not_found", 404, "not_found")]
    [InlineData("GET", 409, "is_a_directory", 409, "is_a_directory")]
    [InlineData("GET", 403, "access_denied", 403, "access_denied")]
    [InlineData("GET", 416, "range_not_satisfiable", 416, "range_not_satisfiable")]
    [InlineData("PUT", 507, "disk_full", 507, "disk_full")]
    [InlineData("PUT", 413, "payload_too_large", 413, "payload_too_large")]
    [InlineData("PUT", 500, "x", 502, "desktop_failed")]
    [InlineData("DELETE", 500, "x", 424, "outcome_unknown")]
    [InlineData("POST", 500, "x", 424, "outcome_unknown")]
    [InlineData("GET", 302, "x", 502, "desktop_failed")]
    [InlineData("GET", 503, "x", 503, "desktop_unreachable")]
    public async Task The_desktops_refusals_are_relayed(string method, int upstream, string upstreamCode, int status, string code)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            await FakeDeskd.JsonAsync(context, $$"""{"error":"the reason","code":"{{upstreamCode}}"}""", upstream);
            return true;
        };

        (await server.SendAsync(new HttpMethod(method), $"/api/computers/{id}/fs/x", method is "GET" or "DELETE" ? null : "{}")).ExpectError(status, code, "the reason");
    }

    [Fact]
    public async Task A_body_beyond_any_limit_streams_through_and_one_that_is_refused_is_not_sent()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, seen) =>
        {
            await FakeDeskd.JsonAsync(context, $$"""{"length":{{seen.Body.Length}} }""", 201);
            return true;
        };
        using var large = new ByteArrayContent(new byte[30_000_000]);

        using var answer = await server.Client.PutAsync($"/api/computers/{id}/fs/x", large);

        Assert.Equal((201, """{"length":30000000 }"""), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_download_that_breaks_inside_breaks_outside()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            context.Response.ContentLength = 1_000_000;
            await context.Response.Body.WriteAsync(new byte[100_000]);
            await context.Response.Body.FlushAsync();
            machine.BreakConnections();
            return true;
        };

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.Client.GetByteArrayAsync($"/api/computers/{id}/fs/x"));
    }

    [Fact]
    public async Task A_desktop_that_stalls_is_given_up_before_and_while_it_answers()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { TransferStall = TimeSpan.FromSeconds(1) });
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, seen) =>
        {
            if (seen.Path == "/fs/half")
            {
                context.Response.ContentLength = 1_000_000;
                await context.Response.Body.WriteAsync(new byte[100_000]);
                await context.Response.Body.FlushAsync();
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        };

        (await server.GetAsync($"/api/computers/{id}/fs/none")).ExpectError(504, "desktop_timeout");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => server.Client.GetByteArrayAsync($"/api/computers/{id}/fs/half"));
    }

    [Fact]
    public async Task A_slow_transfer_that_moves_is_not_given_up()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { TransferStall = TimeSpan.FromSeconds(2) });
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            for (var i = 0; i < 8; i++)
            {
                await context.Response.Body.WriteAsync(new byte[1000]);
                await context.Response.Body.FlushAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(400), TimeProvider.System);
            }

            return true;
        };

        Assert.Equal(8000, (await server.Client.GetByteArrayAsync($"/api/computers/{id}/fs/x")).Length);
    }

    [Fact]
    public async Task An_answer_to_a_change_that_is_no_json_is_not_passed_on()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            await context.Response.WriteAsync("<html>");
            return true;
        };

        (await server.SendAsync(HttpMethod.Put, $"/api/computers/{id}/fs/x", "x")).ExpectError(502, "desktop_failed");
        (await server.DeleteAsync($"/api/computers/{id}/fs/x")).ExpectError(424, "outcome_unknown");
    }

    private static async Task<string> RawAsync(RunningServer server, string line)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.Address.Host, server.Address.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{line}\r\nHost: x\r\nAuthorization: Bearer {server.Key}\r\nConnection: close\r\n\r\n"));
        return await new StreamReader(socket.GetStream()).ReadToEndAsync();
    }
}
