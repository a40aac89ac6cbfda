using Carrel.Contracts.Clipboard;
using Carrel.Contracts.Events;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class ClipboardTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private const string Body = """{ "content" : "\u00e9 é 😀" }""";
    private const string Answer = """{"content":"é 😀","content_type":"text/plain"}""";

    [Fact]
    public async Task The_clipboard_is_the_desktops_from_every_side()
    {
        var server = shared.Server;
        var (id, machine) = await server.ComputerAsync("from every side");
        using var secret = server.ClientWith(machine.Identity!.Token);
        foreach (var (path, client) in new[]
        {
            ($"/api/computers/{id}/clipboard", server.Client), ($"/api/desktops/{id}/proxy/clipboard", server.Client), ("/clipboard", secret),
        })
        {
            machine.Answer = AnswerWith(200, Answer);
            Assert.Equal(Answer, (await server.GetAsync(path, client)).Expect(200).Body);
            Assert.Equal(("GET", "/clipboard"), (machine.Requests.Last().Method, machine.Requests.Last().Path));

            machine.Answer = AnswerWith(200, """{"success":true}""");
            (await PutAsync(client, path, Body)).Expect(200);
            var seen = machine.Requests.Last();
            Assert.Equal(("PUT", "/clipboard", Body), (seen.Method, seen.Path, seen.Body));
        }
    }

    [Fact]
    public async Task A_text_that_needs_many_escapes_passes()
    {
        var (id, machine) = await shared.Server.ComputerAsync("escapes");
        machine.Answer = AnswerWith(200, """{"success":true}""");
        var body = $$"""{"content":"{{string.Concat(Enumerable.Repeat("\\u0001", ClipboardLimits.ContentBytes))}}"}""";

        (await PutAsync(shared.Server.Client, $"/api/computers/{id}/clipboard", body)).Expect(200);
        Assert.Equal(body.Length, machine.Requests.Last().Body.Length);

        machine.Answer = AnswerWith(200, body);
        (await shared.Server.GetAsync($"/api/computers/{id}/clipboard")).Expect(200);
    }

    [Theory]
    [InlineData(413, "payload_too_large", 413, "payload_too_large")]
    [InlineData(504, "desktop_timeout", 502, "desktop_failed")]
    [InlineData(500, "internal_error", 502, "desktop_failed")]
    public async Task What_the_desktop_refuses_is_told(int upstream, string code, int status, string told)
    {
        var (id, machine) = await shared.Server.ComputerAsync($"refuses {upstream}");
        machine.Answer = AnswerWith(upstream, $$"""{"error":"no","code":"{{code}}"}""");

        (await PutAsync(shared.Server.Client, $"/api/computers/{id}/clipboard", Body)).ExpectError(status, told);
    }

    [Fact]
    public async Task What_no_desktop_would_say_is_not_passed_on()
    {
        var (id, machine) = await shared.Server.ComputerAsync("liar");
        var path = $"/api/computers/{id}/clipboard";
        machine.Answer = AnswerWith(200, "[1]");
        (await shared.Server.GetAsync(path)).ExpectError(502, "desktop_failed");
        machine.Answer = AnswerWith(200, $$"""{"content":"{{new string('x', ClipboardLimits.AnswerBytes)}}"}""");
        (await shared.Server.GetAsync(path)).ExpectError(502, "desktop_failed", "bytes");
        (await PutAsync(shared.Server.Client, path, Body, "text/plain")).Expect(415);
    }

    [Fact]
    public async Task The_catalogue_of_events_names_all_with_their_data()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);

        var types = (await server.GetAsync($"/api/computers/{id}/events")).Expect(200).Json.GetProperty("event_types").EnumerateArray().ToList();

        Assert.Equal(EventCatalogue.All.Select(kind => kind.Name), types.Select(type => type.GetProperty("type").GetString()));
        Assert.Equal(["window_id", "title"], types[0].GetProperty("data").EnumerateObject().Select(field => field.Name));
        Assert.All(types, type => Assert.NotEmpty(type.GetProperty("description").GetString()!));
        (await server.GetAsync($"/api/computers/{Guid.Empty}/events")).ExpectError(404, "not_found");
    }

    private static async Task<Answer> PutAsync(HttpClient client, string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, type);
        using var response = await client.PutAsync(new Uri(path, UriKind.Relative), content);
        return await Fakes.Answer.ReadAsync(response);
    }

    private static Func<Microsoft.AspNetCore.Http.HttpContext, Seen, Task<bool>> AnswerWith(int status, string json) => async (context, _) =>
    {
        await FakeDeskd.JsonAsync(context, json, status);
        return true;
    };
}
