using System.Text.Json;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Dapper;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class StreamTests
{
    private const string Key = "live_Sesame-1";
    private const string Connections = "/api/stream/connections";

    [Fact]
    public async Task A_connection_is_made_shown_changed_and_removed_and_its_key_is_never_told()
    {
        await using var server = await RunningServer.StartAsync();

        var made = (await server.PostAsync(Connections, new { name = "twitch", url = "rtmps://live.example/app", stream_key = Key })).Expect(201);
        Assert.Equal(("twitch", "rtmps://live.example/app", true), (made.Text("name"), made.Text("url"), made.Json.GetProperty("has_key").GetBoolean()));
        var path = $"{Connections}/{made.Text("id")}";
        var changed = (await server.SendAsync(HttpMethod.Patch, path, new { url = "rtmp://other.example/live" })).Expect(200);
        Assert.Equal(("twitch", "rtmp://other.example/live", true), (changed.Text("name"), changed.Text("url"), changed.Json.GetProperty("has_key").GetBoolean()));
        var shown = (await server.GetAsync(path)).Expect(200);
        var listed = (await server.GetAsync(Connections)).Expect(200);
        Assert.Equal("twitch", Assert.Single(listed.Json.GetProperty("connections").EnumerateArray()).GetProperty("name").GetString());
        foreach (var answer in new[] { made, changed, shown, listed })
        {
            Assert.DoesNotContain("Sesame", answer.Body, StringComparison.Ordinal);
        }

        Assert.False((await server.SendAsync(HttpMethod.Put, path, new { stream_key = "" })).Expect(200).Json.GetProperty("has_key").GetBoolean());
        (await server.DeleteAsync(path)).Expect(200);
        (await server.GetAsync(path)).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task The_key_is_encrypted_at_rest()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.PostAsync(Connections, new { name = "a", url = "rtmp://live.example/app", stream_key = Key })).Expect(201);

        var stored = await server.Get<Database>().ReadAsync(db => db.ExecuteScalarAsync<string>("SELECT stream_key FROM stream_connections"));
        Assert.NotEqual(Key, stored);
        Assert.Equal(Key, server.Get<SecretBox>().Open(stored!));
        foreach (var file in Directory.EnumerateFiles(server.Data, "carrel.db*"))
        {
            Assert.DoesNotContain("Sesame", await ReadAsync(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.PostAsync(Connections, new { name = "a", url = "rtmp://live.example/app" })).Expect(201);
        var other = (await server.PostAsync(Connections, new { name = "b", url = "rtmp://live.example/app" })).Expect(201).Text("id");

        (await server.PostAsync(Connections, new { name = "a", url = "rtmp://live.example/app" })).ExpectError(409, "name_taken", "already exists");
        (await server.SendAsync(HttpMethod.Patch, $"{Connections}/{other}", new { name = "a" })).ExpectError(409, "name_taken");
        (await server.SendAsync(HttpMethod.Patch, $"{Connections}/{other}", new { name = "b" })).Expect(200);
    }

    [Theory]
    [InlineData("""{"url":"rtmp://h/a"}""", "missing_field", "name")]
    [InlineData("""{"name":"x"}""", "missing_field", "url")]
    [InlineData("""{"name":"x","url":"http://h/a"}""", "invalid_field", "url")]
    [InlineData("""{"name":"x","url":"rtmp://h"}""", "invalid_field", "url")]
    [InlineData("""{"name":"x","url":"rtmp://u:p@h/a"}""", "invalid_field", "url")]
    [InlineData("""{"name":"x","url":"rtmp://h/a b"}""", "invalid_field", "url")]
    [InlineData("""{"name":"x","url":"rtmp://h/a","stream_key":"a b"}""", "invalid_field", "stream_key")]
    [InlineData("""{"name":"x","url":"rtmp://h/a","stream_key":"a\nrtmp_live=1"}""", "invalid_field", "stream_key")]
    public async Task What_is_no_connection_is_refused_by_the_field(string body, string code, string named)
    {
        await using var server = await RunningServer.StartAsync();

        (await server.PostAsync(Connections, body)).ExpectError(400, code, named);
    }

    [Fact]
    public async Task A_start_gives_the_desktop_address_and_key_and_answers_what_it_says()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        (await server.PostAsync(Connections, new { name = "a", url = "rtmp://live.example/app", stream_key = Key })).Expect(201);
        machine.Answer = async (context, seen) =>
        {
            await FakeDeskd.JsonAsync(context, """{"success":true,"status":"streaming","connection_name":"a","start_time":"2026-01-02T03:04:05.006Z","pid":77,"reconnecting":false,"reconnects":0,"extra":"<b>"}""");
            return seen.Path.StartsWith("/stream/", StringComparison.Ordinal);
        };

        var started = (await server.PostAsync($"/api/computers/{id}/stream/start", new { connection_name = "a", resolution = "640x360", fps = 10, audio = false })).Expect(200);

        Assert.Equal(("streaming", 77, true), (started.Text("status"), started.Int("pid"), started.Json.GetProperty("success").GetBoolean()));
        Assert.DoesNotContain("extra", started.Body, StringComparison.Ordinal);
        var order = JsonDocument.Parse(machine.Requests.Last().Body).RootElement;
        Assert.Equal(
            ("rtmp://live.example/app", Key, 640, 10, true),
            (order.GetProperty("url").GetString(), order.GetProperty("stream_key").GetString(), order.GetProperty("width").GetInt32(), order.GetProperty("fps").GetInt32(), order.GetProperty("silent").GetBoolean()));
        var status = (await server.GetAsync($"/api/computers/{id}/stream/status")).Expect(200);
        Assert.Equal(("streaming", "2026-01-02T03:04:05.006Z"), (status.Text("status"), status.Text("start_time")));
        Assert.False(status.Json.TryGetProperty("success", out _));
    }

    [Theory]
    [InlineData(422, "stream_failed", 422)]
    [InlineData(409, "already_streaming", 409)]
    [InlineData(500, "whatever", 424)]
    public async Task What_the_desktop_refuses_is_told(int upstream, string code, int status)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        (await server.PostAsync(Connections, new { name = "a", url = "rtmp://live.example/app" })).Expect(201);
        machine.Answer = async (context, _) =>
        {
            await FakeDeskd.JsonAsync(context, $$"""{"error":"connection refused by it","code":"{{code}}"}""", upstream);
            return true;
        };

        (await server.PostAsync($"/api/computers/{id}/stream/start", new { connection_name = "a" }))
            .ExpectError(status, status == 424 ? "outcome_unknown" : code, "connection refused");
    }

    [Fact]
    public async Task What_cannot_be_started_is_refused_before_the_desktop_is_asked()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.PostAsync(Connections, new { name = "a", url = "rtmp://live.example/app" })).Expect(201);
        var start = $"/api/computers/{id}/stream/start";

        (await server.PostAsync(start, new { })).ExpectError(400, "missing_field", "connection_name");
        (await server.PostAsync(start, new { connection_name = "b" })).ExpectError(404, "not_found", "b");
        (await server.PostAsync(start, new { connection_name = "a", fps = 99 })).ExpectError(400, "invalid_field", "fps");
        (await server.PostAsync(start, new { connection_name = "a", resolution = "9x9" })).ExpectError(400, "invalid_field", "resolution");
        (await server.PostAsync(start, new { connection_name = "a", audio = "yes" })).ExpectError(400, "invalid_field", "audio");
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        (await server.PostAsync(start, new { connection_name = "a" })).ExpectError(409, "not_running");
        Assert.Equal("""{"status":"idle"}""", (await server.GetAsync($"/api/computers/{id}/stream/status")).Expect(200).Body);
        (await server.PostAsync($"/api/computers/{id}/stream/stop")).Expect(200);
    }

    private static async Task<string> ReadAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }
}
