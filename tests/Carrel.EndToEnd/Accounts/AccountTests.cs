using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Accounts;

public sealed class AccountTests(SharedInstallation shared)
{
    [Fact]
    public async Task Somebody_is_made_on_the_command_line_logs_in_by_curl_and_uses_what_is_shared()
    {
        var name = $"ann-{Random()}@example.org";
        var link = await CarrelAsync("user", "create", name);
        Assert.Contains("/#password=", link, StringComparison.Ordinal);
        var jar = Path.Combine(shared.Installation.Data, $"cookies-{Random()}");
        var accepted = await CurlAsync(jar, "POST", "/api/auth/accept", $$"""{"token":"{{link.Trim().Split('=')[1]}}","password":"a good long one"}""");
        Assert.Equal(name, accepted["email"]!.GetValue<string>());

        var computer = await shared.Api.NewComputerAsync();
        var workspace = computer.Created["workspace_id"]!.GetValue<string>();
        Assert.Equal("not_found", (await CurlAsync(jar, "GET", computer.Path))["code"]!.GetValue<string>());
        Api.Expect(await shared.Api.PostAsync($"/api/workspaces/{workspace}/invite", new { email = name, permission = "viewer" }), HttpStatusCode.Created);
        Assert.False((await CurlAsync(jar, "GET", computer.Path))["permissions"]!["canWrite"]!.GetValue<bool>());
        Assert.Equal("access_denied", (await CurlAsync(jar, "POST", $"{computer.Path}/bash", """{"command":"touch /root/by-viewer"}"""))["code"]!.GetValue<string>());
        Api.Expect(await shared.Api.SendAsync(HttpMethod.Patch, $"/api/workspaces/{workspace}/members/{name}", new { role = "member" }), HttpStatusCode.OK);
        Assert.Equal(0, (await CurlAsync(jar, "POST", $"{computer.Path}/bash", """{"command":"touch /root/by-member"}"""))["exit_code"]!.GetValue<int>());
        Assert.Equal("by-member\n", await computer.BashAsync("ls /root | grep by-"));

        var key = JsonNode.Parse(await CarrelAsync("key", "create", "ci", "--workspace", workspace, "--json"))!;
        using var limited = ClientWith(key["key"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.OK, (await limited.GetAsync(new Uri(computer.Path, UriKind.Relative))).StatusCode);
        Assert.Contains(" ci ", await CarrelAsync("key", "list"), StringComparison.Ordinal);
        await CarrelAsync("key", "delete", key["id"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.Unauthorized, (await limited.GetAsync(new Uri(computer.Path, UriKind.Relative))).StatusCode);

        await CarrelAsync("user", "disable", name);
        Assert.Equal("invalid_api_key", (await CurlAsync(jar, "GET", computer.Path))["code"]!.GetValue<string>());
        var told = (await shared.Api.GetAsync($"/api/audit-log?target={computer.Id}")).Json["entries"]!.AsArray().Select(entry => entry!["action"]!.GetValue<string>());
        Assert.Equal(["createComputer"], told);
        await shared.Api.DeleteAsync(computer.Path);
    }

    [Fact]
    public async Task A_viewer_sees_the_screen_by_vnc_and_touches_nothing()
    {
        var computer = await shared.Api.NewComputerAsync();
        var user = Api.Expect(await shared.Api.PostAsync("/api/users", new { email = $"viewer-{Random()}@example.org", password = "a good long one" }), HttpStatusCode.Created);
        Api.Expect(
            await shared.Api.PostAsync($"/api/workspaces/{computer.Created["workspace_id"]}/members", new { email = user.Text("email"), role = "viewer" }), HttpStatusCode.Created);
        using var session = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = shared.Installation.Address };
        using var login = await session.PostAsync(
            new Uri("/api/auth/login", UriKind.Relative), System.Net.Http.Json.JsonContent.Create(new { email = user.Text("email"), password = "a good long one" }));
        await computer.DoAsync("mouse-move", new { x = 300, y = 200 });

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Cookie", login.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        socket.Options.SetRequestHeader("Origin", shared.Installation.Address.GetLeftPart(UriPartial.Authority));
        await socket.ConnectAsync(new Uri($"ws://{shared.Installation.Address.Authority}/desktops/{computer.InstanceId}/ws/websockify"), default);
        var stream = new Received(socket);
        Assert.Equal("RFB 003.008\n"u8.ToArray(), await stream.ReadAsync(12));
        await SendAsync(socket, "RFB 003.008\n"u8.ToArray());
        Assert.Equal([1, 1], await stream.ReadAsync(2));
        await SendAsync(socket, [1]);
        Assert.Equal([0, 0, 0, 0], await stream.ReadAsync(4));
        await SendAsync(socket, [1]);
        var init = await stream.ReadAsync(24);
        Assert.Equal((1280, 720), ((init[0] << 8) | init[1], (init[2] << 8) | init[3]));
        await stream.ReadAsync((init[20] << 24) | (init[21] << 16) | (init[22] << 8) | init[23]);

        // The pointer to the corner and a text for the clipboard, and after them a question whose answer says that they were dealt with.
        await SendAsync(socket, [5, 0, 0, 5, 0, 5, 6, 0, 0, 0, 0, 0, 0, 3, (byte)'b', (byte)'a', (byte)'d']);
        await SendAsync(socket, [2, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 5, 0, 2, 0xd0]);
        var update = await stream.ReadAsync(16);
        Assert.Equal(0, update[0]);
        Assert.NotEqual(0, (update[2] << 8) | update[3]);

        var at = await computer.DoAsync("cursor-position");
        Assert.Equal((300, 200), (at["x"]!.GetValue<int>(), at["y"]!.GetValue<int>()));
        Assert.NotEqual("bad", (await shared.Api.GetAsync($"{computer.Path}/clipboard")).Json["text"]?.GetValue<string>());
        await shared.Api.DeleteAsync(computer.Path);
    }

    private static string Random() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));

    private HttpClient ClientWith(string key)
    {
        var client = new HttpClient { BaseAddress = shared.Installation.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private async Task<string> CarrelAsync(params string[] arguments)
    {
        var (code, output) = await HostProcess.RunAsync(
            "env",
            [$"CARREL_DATA={shared.Installation.Data}", $"CARREL_LISTEN={shared.Installation.Address.GetLeftPart(UriPartial.Authority)}", Path.Combine(Root(), "carrel"), .. arguments]);
        return code == 0 ? output : throw new UnexpectedAnswerException($"carrel {string.Join(' ', arguments)} ended with {code}: {output}");
    }

    private async Task<JsonObject> CurlAsync(string jar, string method, string path, string? body = null)
    {
        var origin = shared.Installation.Address.GetLeftPart(UriPartial.Authority);
        string[] data = body is null ? [] : ["-H", "Content-Type: application/json", "-d", body];
        var (code, output) = await HostProcess.RunAsync(
            "curl", ["-sS", "--noproxy", "*", "-b", jar, "-c", jar, "-X", method, "-H", $"Origin: {origin}", .. data, origin + path]);
        return code == 0 ? JsonNode.Parse(output)!.AsObject() : throw new UnexpectedAnswerException(output);
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] bytes) => socket.SendAsync(bytes, WebSocketMessageType.Binary, true, default);

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    /// <summary>What came over the socket, as one row of bytes.</summary>
    private sealed class Received(ClientWebSocket socket)
    {
        private readonly List<byte> _ahead = [];

        public async Task<byte[]> ReadAsync(int count)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var buffer = new byte[64 * 1024];
            while (_ahead.Count < count)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    throw new UnexpectedAnswerException($"the socket was closed with {socket.CloseStatus}: {socket.CloseStatusDescription}");
                }

                _ahead.AddRange(buffer.AsSpan(0, read.Count));
            }

            byte[] bytes = [.. _ahead.Take(count)];
            _ahead.RemoveRange(0, count);
            return bytes;
        }
    }
}
