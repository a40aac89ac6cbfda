using Carrel.Server.Screenshots;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class ScreenshotTests
{
    [Fact]
    public async Task A_screenshot_is_a_link_that_opens_without_a_login()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        var shot = (await server.GetAsync($"/api/computers/{id}/screenshot?format=png&scale=0.5")).Expect(200);

        Assert.True(shot.Json.GetProperty("success").GetBoolean());
        Assert.Equal("?format=png&scale=0.5&response_format=binary", machine.Requests.Last().Query);
        var metadata = shot.Json.GetProperty("metadata");
        Assert.Equal(FakeDeskd.Png.Length, metadata.GetProperty("size").GetInt32());
        Assert.Equal(FakeDeskd.Png, await File.ReadAllBytesAsync(Path.Combine(server.Data, metadata.GetProperty("storage_path").GetString()!)));
        Assert.StartsWith(server.Address.ToString(), shot.Text("image"), StringComparison.Ordinal);
        var picture = (await server.GetAsync(shot.Text("image"), server.Anonymous)).Expect(200);
        Assert.Equal("image/png", picture.MediaType);
        Assert.Equal(FakeDeskd.Png, picture.Bytes);
        Assert.Equal("nosniff", picture.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Contains("max-age", picture.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_that_was_altered_or_has_expired_opens_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var one = (await server.GetAsync($"/api/computers/{id}/screenshot")).Text("image");
        var two = (await server.GetAsync($"/api/computers/{id}/screenshot")).Text("image");

        foreach (var forged in new[]
        {
            one.Split('?')[0],
            one.Split('?')[0] + "?" + two.Split('?')[1],
            one.Replace("expires=", "expires=9", StringComparison.Ordinal),
            one[..^2],
            one.Replace("signature=", "signature=%00", StringComparison.Ordinal),
        })
        {
            (await server.GetAsync(forged, server.Anonymous)).ExpectError(403, "access_denied");
        }

        (await server.GetAsync("/screenshots/..%2f..%2fadmin.key/2026-01-01/x.png", server.Anonymous)).Expect(403);
        server.Clock.Ahead = TimeSpan.FromHours(2);
        (await server.GetAsync(one, server.Anonymous)).ExpectError(403, "access_denied", "expired");
    }

    [Fact]
    public async Task Expired_pictures_and_those_beyond_the_number_kept_are_swept_and_a_deleted_computer_leaves_none()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { ScreenshotsKept = 3 });
        var (id, machine) = await server.ComputerAsync();
        var links = new List<string>();
        for (var index = 0; index < 5; index++)
        {
            server.Clock.Ahead = TimeSpan.FromMinutes(index);
            links.Add((await server.GetAsync($"/api/computers/{id}/screenshot")).Text("image"));
        }

        var store = server.Get<ScreenshotStore>();
        Assert.Equal(2, store.Sweep());
        (await server.GetAsync(links[0], server.Anonymous)).ExpectError(404, "not_found");
        (await server.GetAsync(links[4], server.Anonymous)).Expect(200);
        server.Clock.Ahead = TimeSpan.FromHours(25);
        Assert.Equal(3, store.Sweep());
        (await server.GetAsync($"/api/computers/{id}/screenshot")).Expect(200);
        (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        Assert.False(Directory.Exists(Path.Combine(server.Data, "screenshots", machine.Id)));
    }

    [Fact]
    public async Task Inline_forms_carry_the_picture_itself()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();

        var inline = (await server.GetAsync($"/api/computers/{id}/screenshot?response_format=base64")).Expect(200);
        Assert.Equal("image/png", inline.Text("mime_type"));
        Assert.Equal(FakeDeskd.Png, Convert.FromBase64String(inline.Text("image")));
        var binary = (await server.GetAsync($"/api/computers/{id}/screenshot?response_format=binary&screen=default")).Expect(200);
        Assert.Equal("image/png", binary.MediaType);
        Assert.Equal(FakeDeskd.Png, binary.Bytes);
    }

    [Fact]
    public async Task The_screen_that_is_meant_is_told_to_the_desktop()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        (await server.GetAsync($"/api/computers/{id}/screenshot?screen=screen-100")).Expect(200);
        (await server.PostAsync($"/api/computers/{id}/click?screen=screen-101", new { x = 1, y = 1 })).Expect(200);

        Assert.Contains(machine.Requests, seen => seen.Path == "/screenshot" && seen.Query.Contains("screen=screen-100", StringComparison.Ordinal));
        Assert.Contains(machine.Requests, seen => seen.Path == "/click" && seen.Query == "?screen=screen-101");
    }

    [Theory]
    [InlineData("response_format=gif", "response_format")]
    public async Task A_wrong_parameter_is_named(string query, string named)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();

        (await server.GetAsync($"/api/computers/{id}/screenshot?{query}")).ExpectError(400, "invalid_field", named);
        (await server.PostAsync($"/api/computers/{id}/click?{query}", new { x = 1, y = 1 })).ExpectError(400, "invalid_field", named);
    }

    [Fact]
    public async Task What_is_no_picture_is_not_stored()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            await FakeDeskd.JsonAsync(context, "<script>alert(1)</script>");
            return true;
        };

        (await server.GetAsync($"/api/computers/{id}/screenshot")).ExpectError(502, "desktop_failed");
        Assert.False(Directory.Exists(Path.Combine(server.Data, "screenshots")));
    }

    [Fact]
    public async Task An_action_with_screenshot_after_answers_with_both()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        var linked = (await server.PostAsync($"/api/computers/{id}/click?screenshot=after&settle_ms=50&format=png", new { x = 1, y = 2 })).Expect(200);

        Assert.Contains("application/vnd.carrel.act", machine.Requests.Last().Accept, StringComparison.Ordinal);
        Assert.Equal("?screenshot=after&settle_ms=50&format=png", machine.Requests.Last().Query);
        Assert.Equal("click", linked.Text("action"));
        Assert.Equal(2, linked.Json.GetProperty("details").GetProperty("y").GetInt32());
        Assert.True(linked.Json.GetProperty("settle").GetProperty("settled").GetBoolean());
        var screenshot = linked.Json.GetProperty("screenshot");
        Assert.Equal(1, screenshot.GetProperty("width").GetInt32());
        Assert.Equal(FakeDeskd.Png, (await server.GetAsync(screenshot.GetProperty("image").GetString()!, server.Anonymous)).Expect(200).Bytes);

        var inline = (await server.PostAsync($"/api/computers/{id}/bash?screenshot=after&response_format=base64", new { command = "x" })).Expect(200);
        Assert.Equal(FakeDeskd.Png, Convert.FromBase64String(inline.Json.GetProperty("screenshot").GetProperty("image").GetString()!));
        (await server.PostAsync($"/api/computers/{id}/click?screenshot=after&response_format=binary", new { x = 1, y = 2 })).ExpectError(400, "invalid_field", "response_format");
        (await server.PostAsync($"/api/computers/{id}/click?screenshot=before", new { x = 1, y = 2 })).ExpectError(400, "invalid_field", "screenshot");
    }

    [Fact]
    public async Task An_action_whose_picture_cannot_be_stored_is_a_success_all_the_same()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        await File.WriteAllTextAsync(Path.Combine(server.Data, "screenshots"), "in the way");

        var answer = (await server.PostAsync($"/api/computers/{id}/click?screenshot=after", new { x = 1, y = 2 })).Expect(200);

        Assert.Equal("click", answer.Text("action"));
        Assert.Contains("stored", answer.Text("screenshot_error"), StringComparison.Ordinal);
    }
}
