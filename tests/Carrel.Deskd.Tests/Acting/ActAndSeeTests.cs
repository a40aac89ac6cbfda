using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Tests.Screen;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Acting;

public sealed class ActAndSeeTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task A_picture_after_an_action_shows_what_the_action_did()
    {
        var (_, answer) = await desk.Post("/bash?screenshot=after", ("command", "xsetroot -solid '#00ff00'; (sleep 0.06; xsetroot -solid '#ff0000') & exit 0"));

        var shot = answer.GetProperty("screenshot");
        Assert.True(answer.GetProperty("settle").GetProperty("settled").GetBoolean());
        Assert.Equal(((byte)255, (byte)0, (byte)0), new PngDecoder(shot.GetProperty("image").GetBytesFromBase64())[640, 360]);
        Assert.Equal(("png", "image/png", 1280, 720), (
            shot.GetProperty("format").GetString(), shot.GetProperty("mime_type").GetString(),
            shot.GetProperty("width").GetInt32(), shot.GetProperty("height").GetInt32()));
    }

    [Fact]
    public async Task The_picture_comes_behind_the_json_when_the_client_takes_that()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mouse_move?screenshot=after&scale=0.25&cursor=true")
        {
            Content = new StringContent("""{"x":5,"y":6}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(DeskdProtocol.ActAndSeeMediaType));
        using var response = await desk.Host.SendAsync(request, TestContext.Current.CancellationToken);
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal(DeskdProtocol.ActAndSeeMediaType, response.Content.Headers.ContentType?.MediaType);
        var length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        var json = JsonDocument.Parse(bytes.AsMemory(4, length)).RootElement;
        Assert.Equal("mouse_move", json.GetProperty("action").GetString());
        Assert.Equal(bytes.Length - 4 - length, json.GetProperty("screenshot").GetProperty("size").GetInt32());
        Assert.False(json.GetProperty("screenshot").TryGetProperty("image", out _));
        Assert.Equal(320, new PngDecoder(bytes.AsSpan(4 + length)).Width);
    }

    [Fact]
    public async Task A_screen_that_keeps_changing_is_told_to_be_unsettled()
    {
        using var busy = desk.Start("while true; do xsetroot -solid '#111111'; xsetroot -solid '#222222'; done");
        var (_, answer) = await desk.Post("/wait?settle=true&settle_ms=400&settle_timeout_ms=900", ("seconds", 0));

        var settle = answer.GetProperty("settle");
        Assert.False(settle.GetProperty("settled").GetBoolean());
        Assert.InRange(settle.GetProperty("waited_ms").GetDouble(), 890, 2000);
        Assert.False(answer.TryGetProperty("screenshot", out _));
    }

    [Fact]
    public async Task A_refused_action_is_not_waited_for()
    {
        var (status, answer) = await desk.Post("/click?screenshot=after", ("x", -1), ("y", 0));

        Assert.Equal((400, "x"), (status, answer.GetProperty("field").GetString()));
    }
}
