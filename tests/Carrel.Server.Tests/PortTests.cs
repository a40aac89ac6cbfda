using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class PortTests
{
    private static readonly CancellationToken Soon = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_method_path_query_and_body_arrive_as_they_were_sent()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        string seen = "";
        await using var inside = await InsideServer.StartAsync(machine, async context =>
        {
            var body = new byte[3_000_000];
            await context.Request.Body.ReadExactlyAsync(body);
            seen = $"{context.Request.Method} {context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget} {body.Sum(b => (long)b)}";
            context.Response.StatusCode = 418;
            context.Response.Headers["X-Theirs"] = "yes";
            await context.Response.WriteAsync("answer");
        });
        var content = new byte[3_000_000];
        Random.Shared.NextBytes(content);
        using var request = new HttpRequestMessage(new HttpMethod("PROPFIND"), $"/desktops/{machine.Id}/ports/{inside.Port}/a%2Fb/c?x=1&token=their-own&y=%20")
        {
            Content = new ByteArrayContent(content),
        };
        using var answer = await server.Client.SendAsync(request, Soon);

        Assert.Equal((418, "yes", "answer"), ((int)answer.StatusCode, answer.Headers.GetValues("X-Theirs").Single(), await answer.Content.ReadAsStringAsync(Soon)));
        Assert.Equal($"PROPFIND /a%2Fb/c?x=1&token=their-own&y=%20 {content.Sum(b => (long)b)}", seen);
    }

    [Fact]
    public async Task The_guest_sees_none_of_our_secrets_and_that_it_is_localhost()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        IHeaderDictionary headers = new HeaderDictionary();
        string query = "";
        await using var inside = await InsideServer.StartAsync(machine, context =>
        {
            (headers, query) = (new HeaderDictionary(context.Request.Headers.ToDictionary()), context.Request.QueryString.Value!);
            return context.Response.WriteAsync("ok");
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/desktops/{machine.Id}/ports/{inside.Port}/?token={machine.Identity!.Token}&carrel_link=1.2&a=b");
        request.Headers.Add("Cookie", "carrel_session=secret; theirs=1; carrel_port=2.3");
        request.Headers.Add("X-Forwarded-For", "1.2.3.4");
        request.Headers.Add("Origin", server.Address.GetLeftPart(UriPartial.Authority));
        using var answer = await server.Client.SendAsync(request, Soon);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("?a=b", query);
        Assert.Equal("theirs=1", headers.Cookie.ToString());
        Assert.False(headers.ContainsKey("Authorization"));
        Assert.Equal(($"localhost:{inside.Port}", $"http://localhost:{inside.Port}"), (headers.Host.ToString(), headers.Origin.ToString()));
        Assert.Equal(
            ("127.0.0.1", "http", server.Address.Authority, $"/desktops/{machine.Id}/ports/{inside.Port}"),
            (headers["X-Forwarded-For"].ToString(), headers["X-Forwarded-Proto"].ToString(), headers["X-Forwarded-Host"].ToString(), headers["X-Forwarded-Prefix"].ToString()));
    }

    [Fact]
    public async Task What_the_guest_answers_stays_in_its_place()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        await using var inside = await InsideServer.StartAsync(machine, context =>
        {
            var headers = context.Response.Headers;
            headers.Append("Set-Cookie", "a=1; Path=/; Domain=127.0.0.1; HttpOnly");
            headers.Append("Set-Cookie", "b=2");
            headers.Append("Set-Cookie", "c=3; path=/deep");
            headers.Append("Set-Cookie", "carrel_session=stolen; Path=/");
            headers["Service-Worker-Allowed"] = "/";
            headers["Clear-Site-Data"] = "\"cookies\"";
            headers["Content-Security-Policy"] = "default-src *";
            headers.Location = "/next?x=1";
            context.Response.StatusCode = 302;
            return Task.CompletedTask;
        });
        var prefix = $"/desktops/{machine.Id}/ports/{inside.Port}";
        using var answer = await server.Client.GetAsync(prefix + "/", Soon);

        Assert.Equal([$"a=1; HttpOnly; Path={prefix}/", $"b=2; Path={prefix}/", $"c=3; Path={prefix}/deep"], answer.Headers.GetValues("Set-Cookie"));
        Assert.False(answer.Headers.Contains("Service-Worker-Allowed"));
        Assert.False(answer.Headers.Contains("Clear-Site-Data"));
        var policies = answer.Headers.GetValues("Content-Security-Policy").ToList();
        Assert.Equal("default-src *", policies[0]);
        Assert.StartsWith("sandbox ", policies[1], StringComparison.Ordinal);
        Assert.DoesNotContain("allow-same-origin", policies[1], StringComparison.Ordinal);
        Assert.Equal($"{prefix}/next?x=1", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_link_opens_an_origin_of_its_own_with_a_cookie_and_no_more_query()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        await using var inside = await InsideServer.StartAsync(machine, context => context.Response.WriteAsync($"at {context.Request.Path}{context.Request.QueryString}"));
        var link = (await server.PostAsync($"/api/computers/{id}/ports/{inside.Port}/link", new { path = "/app?x=1" })).Expect(201);
        Assert.True(link.Json.GetProperty("own_origin").GetBoolean());
        var url = new Uri(link.Text("url"));
        Assert.Equal($"{inside.Port}-{machine.Id}.localhost", url.Host);

        using var visit = await VisitAsync(server, url);
        Assert.Equal(HttpStatusCode.Redirect, visit.StatusCode);
        Assert.Equal($"http://{url.Authority}/app?x=1", visit.Headers.Location!.OriginalString);
        var cookie = visit.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("; path=/; samesite=lax; httponly", cookie, StringComparison.Ordinal);

        using var next = await VisitAsync(server, visit.Headers.Location, cookie.Split(';')[0]);
        Assert.Equal("at /app?x=1", await next.Content.ReadAsStringAsync(Soon));
        Assert.False(next.Headers.Contains("Content-Security-Policy"));
        using var foreign = await VisitAsync(server, visit.Headers.Location, cookie.Split(';')[0], origin: "http://evil.example");
        Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);

        // Its own host name leads nowhere but there: not even to the API.
        using var api = await VisitAsync(server, new Uri($"http://{url.Authority}/api/workspaces"), cookie.Split(';')[0]);
        Assert.Equal("at /api/workspaces", await api.Content.ReadAsStringAsync(Soon));
        using var nobody = await VisitAsync(server, new Uri($"http://{url.Authority}/healthz"));
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task A_link_is_for_one_port_of_one_computer_for_a_while()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync("one");
        var (_, other) = await server.ComputerAsync("two");
        await using var inside = await InsideServer.StartAsync(machine, context => context.Response.WriteAsync("ok"));
        other.Answer = InsideServer.TunnelAsync;
        var claim = (await server.PostAsync($"/api/computers/{id}/ports/{inside.Port}/link", new { expires_in = 60 })).Expect(201).Text("url").Split("carrel_link=")[1];

        async Task<int> StatusAsync(string instance, int port, string with) =>
            (await server.GetAsync($"/desktops/{instance}/ports/{port}/?carrel_link={with}", server.Anonymous)).Status;

        Assert.Equal(200, await StatusAsync(machine.Id, inside.Port, claim));
        Assert.Equal(401, await StatusAsync(machine.Id, inside.Port + 1, claim));
        Assert.Equal(401, await StatusAsync(other.Id, inside.Port, claim));
        Assert.Equal(401, await StatusAsync(machine.Id, inside.Port, claim[..^1] + (claim[^1] == 'A' ? 'B' : 'A')));
        Assert.Equal(401, await StatusAsync(machine.Id, inside.Port, "9" + claim));
        server.Clock.Ahead = TimeSpan.FromSeconds(61);
        Assert.Equal(401, await StatusAsync(machine.Id, inside.Port, claim));
    }

    [Fact]
    public async Task A_restart_revokes_all_links()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        await using var inside = await InsideServer.StartAsync(machine, context => context.Response.WriteAsync("ok"));
        var claim = (await server.PostAsync($"/api/computers/{id}/ports/{inside.Port}/link")).Expect(201).Text("url").Split("carrel_link=")[1];
        (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200);
        server.World.Machines[machine.Id].Answer = InsideServer.TunnelAsync;

        (await server.GetAsync($"/desktops/{id}/ports/{inside.Port}/?carrel_link={claim}", server.Anonymous)).ExpectError(401, "invalid_api_key");
        (await server.GetAsync($"/desktops/{id}/ports/{inside.Port}/")).Expect(200);
    }

    [Fact]
    public async Task A_token_in_the_query_is_left_behind_by_browsers_and_kept_by_programs()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        await using var inside = await InsideServer.StartAsync(machine, context => context.Response.WriteAsync("ok"));
        var path = $"/desktops/{machine.Id}/ports/{inside.Port}/?token={machine.Identity!.VncPassword}";

        (await server.GetAsync(path, server.Anonymous)).Expect(200);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/html");
        using var visit = await server.Anonymous.SendAsync(request, Soon);
        Assert.Equal(HttpStatusCode.Redirect, visit.StatusCode);
        Assert.EndsWith($"/ports/{inside.Port}/", visit.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Contains($"path=/desktops/{machine.Id}/ports/{inside.Port}/;", visit.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    public async Task Who_may_not_is_refused(string? token)
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        (await server.GetAsync($"/desktops/{machine.Id}/ports/3000/{(token is null ? "" : "?token=" + token)}", server.Anonymous)).ExpectError(401, "invalid_api_key");
        Assert.DoesNotContain(machine.Requests, seen => seen.Path.StartsWith("/ports/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Our_own_pages_cannot_load_a_guests_script()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/desktops/{machine.Id}/ports/3000/evil.js");
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        request.Headers.Add("Sec-Fetch-Mode", "no-cors");
        using var answer = await server.Client.SendAsync(request, Soon);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("5900")]
    [InlineData("5999")]
    [InlineData("6080")]
    [InlineData("8080")]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("http")]
    public async Task The_computers_own_ports_and_what_is_none_are_refused(string port)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.GetAsync($"/desktops/{id}/ports/{port}/")).ExpectError(400, "invalid_field", port);
        (await server.PostAsync($"/api/computers/{id}/ports/{port}/link")).ExpectError(400, "invalid_field", port);
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_named_and_a_stopped_computer_says_so()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var inside = await InsideServer.StartAsync(machine, _ => Task.CompletedTask);
        var port = inside.Port;
        await inside.DisposeAsync();

        (await server.GetAsync($"/desktops/{id}/ports/{port}/")).ExpectError(502, "port_closed", $"port {port}");
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        (await server.GetAsync($"/desktops/{id}/ports/{port}/")).ExpectError(409, "not_running");
        (await server.PostAsync($"/api/computers/{id}/ports/{port}/link")).ExpectError(409, "not_running");
    }

    [Fact]
    public async Task An_answer_comes_as_it_is_made()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        var more = new SemaphoreSlim(0);
        await using var inside = await InsideServer.StartAsync(machine, async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 3; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
                await more.WaitAsync(context.RequestAborted);
            }
        });
        using var answer = await server.Client.GetAsync($"/desktops/{machine.Id}/ports/{inside.Port}/", HttpCompletionOption.ResponseHeadersRead, Soon);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Soon));
        for (var i = 0; i < 3; i++)
        {
            // The next is not even made before this one was read.
            Assert.Equal($"data: {i}", await reader.ReadLineAsync(Soon));
            await reader.ReadLineAsync(Soon);
            more.Release();
        }
    }

    [Fact]
    public async Task A_websocket_goes_through_with_its_subprotocol()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine) = await server.ComputerAsync();
        await using var inside = await InsideServer.StartAsync(machine, EchoAsync);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("theirs");
        await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}/desktops/{machine.Id}/ports/{inside.Port}/hmr?token={machine.Identity!.Token}"), Soon);
        Assert.Equal("theirs", socket.SubProtocol);
        var sent = new byte[200_000];
        Random.Shared.NextBytes(sent);
        await socket.SendAsync(sent, WebSocketMessageType.Binary, true, Soon);
        var got = new byte[sent.Length];
        for (var at = 0; at < got.Length;)
        {
            at += (await socket.ReceiveAsync(got.AsMemory(at), Soon)).Count;
        }

        Assert.Equal(sent, got);
        await socket.CloseAsync((WebSocketCloseStatus)4123, "bye", Soon);
        Assert.Equal(4123, (int)socket.CloseStatus!);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("server")]
    public async Task A_stream_ends_with_its_computer_and_with_the_server(string what)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var gone = new TaskCompletionSource();
        await using var inside = await InsideServer.StartAsync(machine, async context =>
        {
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(gone.SetResult);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        using var answer = await server.Client.GetAsync($"/desktops/{machine.Id}/ports/{inside.Port}/", HttpCompletionOption.ResponseHeadersRead, Soon);
        var body = await answer.Content.ReadAsStreamAsync(Soon);
        await body.ReadExactlyAsync(new byte[5], Soon);

        var ending = what == "server" ? server.StopAsync() : server.PostAsync($"/api/computers/{id}/stop");
        await Assert.ThrowsAnyAsync<Exception>(async () => await body.ReadExactlyAsync(new byte[1], Soon).AsTask().WaitAsync(TimeSpan.FromSeconds(15), Soon));
        await gone.Task.WaitAsync(TimeSpan.FromSeconds(15), Soon);
        await ending;
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("theirs");
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(), default);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, default);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, default);
        }
    }

    /// <summary>As a browser does it: the name is below localhost, so the way is the loopback.</summary>
    private static async Task<HttpResponseMessage> VisitAsync(RunningServer server, Uri url, string? cookie = null, string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, url.PathAndQuery));
        request.Headers.Host = url.Authority;
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        return await server.Anonymous.SendAsync(request, Soon);
    }
}
