using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Http;

public sealed class HttpTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task Health_is_what_clients_look_for() => Assert.Equal(
        """{"status":"healthy","service":"orgo-desktop-api","version":"0.1.0"}""",
        await desk.Tcp.GetStringAsync("/health", TestContext.Current.CancellationToken));

    [Theory]
    [InlineData("/status", 401)]
    [InlineData("/screenshot", 401)]
    [InlineData("/nothing", 401)]
    [InlineData("/identity", 401)]
    [InlineData("/status?token=the-token", 200)]
    [InlineData("/status?token=the-other", 401)]
    [InlineData("/schema", 200)]
    [InlineData("/metrics", 200)]
    [InlineData("/ready?token=the-token", 404)]
    [InlineData("/identity?token=the-token", 404)]
    public async Task Over_tcp_the_token_is_needed_and_the_hosts_routes_are_not_there(string path, int status)
    {
        using var response = await desk.Tcp.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_bearer_token_works()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Desk.Token);
        using var response = await desk.Tcp.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(200, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("POST", "/nothing", 404, null)]
    [InlineData("GET", "/click", 405, "POST")]
    [InlineData("DELETE", "/screenshot", 405, "GET")]
    [InlineData("POST", "/identity", 405, "PUT")]
    public async Task Wrong_paths_and_verbs_are_told(string method, string path, int status, string? allow)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await desk.Host.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(allow, response.Content.Headers.Allow.SingleOrDefault());
    }

    [Theory]
    [InlineData("/click", """{"x":1280,"y":0}""", "x must be between 0 and 1279, got 1280", "invalid_field", "x")]
    [InlineData("/click", """{"x":0,"y":-1}""", "y must be between 0 and 719, got -1", "invalid_field", "y")]
    [InlineData("/click", """{"x":0.5,"y":0}""", "x must be a whole number, got 0.5", "invalid_field", "x")]
    [InlineData("/click", """{"x":"1","y":0}""", "x must be a whole number, got \"1\"", "invalid_field", "x")]
    [InlineData("/click", """{"x":null,"y":0}""", "x is required", "missing_field", "x")]
    [InlineData("/click", "", "x is required", "missing_field", "x")]
    [InlineData("/click", """{"x":1,"y":1,"button":"up"}""", "button must be one of left, right, middle, got \"up\"", "invalid_field", "button")]
    [InlineData("/click", """{"x":1,"y":1,"repeat":4}""", "repeat must be between 1 and 3, got 4", "invalid_field", "repeat")]
    [InlineData("/click", """{"x":1,"y":1,"double":"yes"}""", "double must be true or false, got \"yes\"", "invalid_field", "double")]
    [InlineData("/drag", """{"start_x":0,"start_y":0,"end_x":0,"end_y":9999}""", "end_y must be between 0 and 719, got 9999", "invalid_field", "end_y")]
    [InlineData("/scroll", """{"amount":101}""", "amount must be between 1 and 100, got 101", "invalid_field", "amount")]
    [InlineData("/scroll", """{"x":5}""", "y is required", "missing_field", "y")]
    [InlineData("/wait", "{}", "seconds is required", "missing_field", "seconds")]
    [InlineData("/wait", """{"seconds":61}""", "seconds must be between 0 and 60, got 61", "invalid_field", "seconds")]
    [InlineData("/type", "{}", "text is required", "missing_field", "text")]
    [InlineData("/key", """{"key":["a"]}""", "key must be a string, got an array", "invalid_field", "key")]
    [InlineData("/click?settle_ms=1", """{"x":1,"y":1}""", "settle_ms must be between 10 and 5000, got 1", "invalid_field", "settle_ms")]
    public async Task What_is_wrong_is_named(string path, string body, string error, string code, string field)
    {
        var (status, answer) = await desk.Post(path, body);

        Assert.Equal((400, error, code, field), (
            status, answer.GetProperty("error").GetString(), answer.GetProperty("code").GetString(), answer.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("\"x\"")]
    [InlineData("{\"x\":1}}")]
    public async Task What_is_no_json_object_is_told(string body)
    {
        var (status, answer) = await desk.Post("/click", body);

        Assert.Equal((400, "invalid_json"), (status, answer.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_body_too_large_is_refused()
    {
        var (status, answer) = await desk.Post("/click", $$"""{"x":1,"y":1,"pad":"{{new string('p', 70_000)}}"}""");

        Assert.Equal((413, "payload_too_large"), (status, answer.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Unknown_fields_do_not_matter() =>
        Assert.Equal(200, (await desk.Post("/wait", """{"seconds":0,"whatever":[1]}""")).Status);

    [Fact]
    public async Task Garbage_on_the_socket_is_answered_and_closed()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", desk.TcpPort, TestContext.Current.CancellationToken);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes("\u0016\u0003\u0001garbage\r\n\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(socket.GetStream());

        Assert.StartsWith("HTTP/1.1 400", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_route_of_the_catalogue_is_in_the_schema()
    {
        var schema = await desk.Host.GetFromJsonAsync<JsonElement>("/schema", TestContext.Current.CancellationToken);
        var catalogue = await desk.Host.GetFromJsonAsync<JsonElement>("/", TestContext.Current.CancellationToken);

        Assert.Equal("3.0.1", schema.GetProperty("openapi").GetString());
        Assert.Equal(
            [
                "/", "/audio", "/bash", "/click", "/clipboard", "/clipboard", "/cursor_position", "/double_click", "/drag", "/events", "/exec", "/files/export",
                "/fs/{*path}", "/fs/{*path}", "/fs/{*path}", "/fs/{*path}", "/fs/{*path}", "/health", "/key", "/metrics", "/mouse_move", "/schema", "/screens", "/screens", "/screens/{screen}", "/screenshot",
                "/scroll", "/status", "/terminal", "/type", "/wait",
            ],
            catalogue.GetProperty("endpoints").EnumerateArray().Select(e => e.GetProperty("path").GetString()).Order(StringComparer.Ordinal));
        Assert.All(catalogue.GetProperty("endpoints").EnumerateArray(), endpoint => Assert.Equal(
            JsonValueKind.Object,
            schema.GetProperty("paths").GetProperty(endpoint.GetProperty("path").GetString()!.Replace("{*", "{", StringComparison.Ordinal))
                .GetProperty(endpoint.GetProperty("method").GetString()!.ToLowerInvariant()).ValueKind));
    }

    [Fact]
    public async Task Metrics_count_requests() => Assert.Contains(
        "deskd_requests_total{status=\"200\"}", await desk.Host.GetStringAsync("/metrics", TestContext.Current.CancellationToken), StringComparison.Ordinal);
}
