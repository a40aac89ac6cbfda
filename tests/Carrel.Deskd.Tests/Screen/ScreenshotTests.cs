using System.Net.Http.Json;
using System.Text.Json;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Screen;

public sealed class ScreenshotTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task A_screenshot_shows_the_colour_of_the_screen()
    {
        await desk.Shell("xsetroot -solid '#336699'");
        var answer = await desk.Host.GetFromJsonAsync<JsonElement>("/screenshot", TestContext.Current.CancellationToken);

        Assert.True(answer.GetProperty("success").GetBoolean());
        Assert.Equal(("png", "base64", 1280, 720), (
            answer.GetProperty("format").GetString(), answer.GetProperty("encoding").GetString(),
            answer.GetProperty("width").GetInt32(), answer.GetProperty("height").GetInt32()));
        var picture = new PngDecoder(answer.GetProperty("image").GetBytesFromBase64());
        Assert.Equal(((byte)0x33, (byte)0x66, (byte)0x99), picture[0, 0]);
        Assert.Equal(((byte)0x33, (byte)0x66, (byte)0x99), picture[1279, 719]);
    }

    [Fact]
    public async Task Bytes_come_with_their_size_in_the_headers()
    {
        using var response = await desk.Host.GetAsync("/screenshot?response_format=binary&scale=0.5", TestContext.Current.CancellationToken);
        var picture = new PngDecoder(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));

        Assert.Equal((640, 360), (picture.Width, picture.Height));
        Assert.Equal("640", response.Headers.GetValues(DeskdProtocol.WidthHeader).Single());
        Assert.Equal("360", response.Headers.GetValues(DeskdProtocol.HeightHeader).Single());
        Assert.Equal("image/png", response.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("jpeg", "image/jpeg")]
    [InlineData("webp", "image/webp")]
    public async Task Other_formats_are_there(string format, string type)
    {
        using var response = await desk.Host.GetAsync($"/screenshot?response_format=binary&format={format}&quality=50", TestContext.Current.CancellationToken);

        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_pointer_shows_when_asked_for()
    {
        await desk.Post("/mouse_move", ("x", 600), ("y", 300));
        var without = await desk.Host.GetByteArrayAsync("/screenshot?response_format=binary", TestContext.Current.CancellationToken);
        var with = await desk.Host.GetByteArrayAsync("/screenshot?response_format=binary&cursor=true", TestContext.Current.CancellationToken);

        Assert.NotEqual(Around(new PngDecoder(without), 600, 300), Around(new PngDecoder(with), 600, 300));
    }

    [Theory]
    [InlineData("scale=0.05", "scale")]
    [InlineData("scale=2", "scale")]
    [InlineData("quality=0", "quality")]
    [InlineData("quality=x", "quality")]
    [InlineData("format=gif", "format")]
    [InlineData("response_format=url", "response_format")]
    [InlineData("cursor=perhaps", "cursor")]
    public async Task Wrong_options_are_named(string query, string field)
    {
        using var response = await desk.Host.GetAsync($"/screenshot?{query}", TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(field, answer.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Many_at_once_are_all_whole()
    {
        var pictures = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ =>
            desk.Host.GetByteArrayAsync("/screenshot?response_format=binary", TestContext.Current.CancellationToken)));

        Assert.All(pictures, bytes => Assert.Equal(720, new PngDecoder(bytes).Height));
    }

    private static List<(byte R, byte G, byte B)> Around(PngDecoder picture, int x, int y) =>
        [.. Enumerable.Range(0, 400).Select(i => picture[x - 10 + (i % 20), y - 10 + (i / 20)])];
}
