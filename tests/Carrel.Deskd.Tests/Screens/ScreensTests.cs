using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.Tests.Screen;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Screens;

/// <summary>Real X servers. Each test has a desk of its own, since it counts screens.</summary>
public sealed class ScreensTests : IAsyncLifetime
{
    private readonly Desk _desk = new();

    public ValueTask InitializeAsync() => _desk.InitializeAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task A_second_screen_has_its_own_picture_and_pointer()
    {
        var (id, display) = await AddAsync("""{"width":800,"height":600}""");
        await _desk.Shell("xsetroot -solid '#0000ff'");
        await _desk.Shell($"DISPLAY={display} xsetroot -solid '#ff0000'");

        var (first, second) = (await PictureAsync("default"), await PictureAsync(id));
        Assert.Equal((1280, 720, (byte)0, (byte)0, (byte)255), (first.Width, first.Height, first[9, 9].R, first[9, 9].G, first[9, 9].B));
        Assert.Equal((800, 600, (byte)255, (byte)0, (byte)0), (second.Width, second.Height, second[9, 9].R, second[9, 9].G, second[9, 9].B));

        await _desk.Post("/mouse_move", ("x", 1000), ("y", 11));
        await _desk.Post($"/mouse_move?screen={id}", ("x", 22), ("y", 33));
        Assert.Equal((1000, 11), await PointerAsync("default"));
        Assert.Equal((22, 33), await PointerAsync(id));
        var (status, answer) = await _desk.Post($"/click?screen={id}", ("x", 1000), ("y", 11));
        Assert.Equal((400, "x"), (status, answer.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task An_action_sees_the_screen_it_is_for()
    {
        var (id, display) = await AddAsync("{}");
        var (_, answer) = await _desk.Post($"/bash?screenshot=after&screen={id}", ("command", $"DISPLAY={display} xsetroot -solid '#00ff00'"));

        var picture = new PngDecoder(answer.GetProperty("screenshot").GetProperty("image").GetBytesFromBase64());
        Assert.Equal(((byte)0, (byte)255, (byte)0), picture[640, 360]);
    }

    [Theory]
    [InlineData("{}", 1280, 720)]
    [InlineData("""{"width":640}""", 1280, 720)]
    [InlineData("""{"height":480}""", 1280, 720)]
    [InlineData("""{"width":640,"height":480}""", 640, 480)]
    public async Task One_side_alone_means_the_size_of_the_boot(string body, int width, int height)
    {
        await _desk.Shell("xrandr -s 1024x768 || true");
        var (status, answer) = await _desk.Post("/screens", body);

        Assert.Equal((201, width, height), (status, answer.GetProperty("width").GetInt32(), answer.GetProperty("height").GetInt32()));
    }

    [Theory]
    [InlineData("""{"width":319,"height":480}""", "width")]
    [InlineData("""{"width":640,"height":"480"}""", "height")]
    public async Task A_size_that_is_none_is_refused(string body, string field)
    {
        var (status, answer) = await _desk.Post("/screens", body);

        Assert.Equal((400, field), (status, answer.GetProperty("field").GetString()));
        Assert.Equal("default", Assert.Single(await ListAsync()));
    }

    [Fact]
    public async Task There_are_at_most_four_and_a_deleted_ones_place_is_free_again()
    {
        var ids = new[] { (await AddAsync("{}")).Id, (await AddAsync("{}")).Id, (await AddAsync("{}")).Id };
        var (status, answer) = await _desk.Post("/screens", "{}");
        Assert.Equal((409, "screen_limit"), (status, answer.GetProperty("code").GetString()));
        Assert.Equal((string[])["default", .. ids], await ListAsync());

        using var deleted = await _desk.Host.DeleteAsync($"/screens/{ids[1]}");
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Equal((string[])["default", ids[0], ids[2]], await ListAsync());
        Assert.Equal(ids[1], (await AddAsync("{}")).Id);
    }

    [Fact]
    public async Task A_deleted_screen_leaves_nothing()
    {
        var (id, display) = await AddAsync("{}");
        using var program = _desk.Start($"DISPLAY={display} exec xev");
        using var deleted = await _desk.Host.DeleteAsync($"/screens/{id}");

        Assert.Empty(ProcessesOf(display));
        Assert.False(File.Exists($"/tmp/.X{display[1..]}-lock"));
        Assert.False(File.Exists($"/tmp/.X11-unix/X{display[1..]}"));
        Assert.Empty(Directory.EnumerateFiles(_desk.Folder, "vnc-*.sock"));
    }

    [Fact]
    public async Task The_first_screen_stays_and_an_unknown_one_is_told_with_those_there_are()
    {
        var (id, _) = await AddAsync("{}");
        using var refused = await _desk.Host.DeleteAsync("/screens/default");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using var unknown = await _desk.Host.DeleteAsync("/screens/screen-7");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        foreach (var path in new[] { "/key?screen=screen-7", "/wait?screen=screen-7" })
        {
            var (status, answer) = await _desk.Post(path, ("key", "a"), ("seconds", 0));
            Assert.Equal((404, $"there is no screen screen-7; there is: default, {id}"), (status, answer.GetProperty("error").GetString()));
        }
    }

    [Fact]
    public async Task A_screen_whose_x_server_dies_is_gone()
    {
        var (id, display) = await AddAsync("{}");
        await _desk.Shell($"kill -9 {ProcessesOf(display).Min()}");

        var ids = await Eventually.Is(() => ListAsync().GetAwaiter().GetResult(), ids => ids.Length == 1);
        Assert.Equal("default", Assert.Single(ids));
        Assert.Empty(await Eventually.Is(() => ProcessesOf(display), left => left.Length == 0));
        Assert.Equal(HttpStatusCode.NotFound, await Eventually.Is(() => PictureStatus(id), status => status == HttpStatusCode.NotFound));
        await AddAsync("{}");
    }

    [Fact]
    public async Task It_speaks_rfb_to_the_host()
    {
        var (id, _) = await AddAsync("{}");
        var (tunnel, head) = await HostTunnel.OpenAsync(_desk, $"/screens/{id}/vnc");
        using (tunnel)
        {
            Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
            Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString((await tunnel.ReadAsync())!));
        }
    }

    private async Task<(string Id, string Display)> AddAsync(string body)
    {
        var (status, answer) = await _desk.Post("/screens", body);
        Assert.True(status == 201, answer.ToString());
        return (answer.GetProperty("id").GetString()!, answer.GetProperty("display").GetString()!);
    }

    private async Task<string[]> ListAsync() =>
        [.. (await _desk.Host.GetFromJsonAsync<JsonElement>("/screens")).GetProperty("screens").EnumerateArray().Select(screen => screen.GetProperty("id").GetString()!)];

    private HttpStatusCode PictureStatus(string screen)
    {
        using var answer = _desk.Host.GetAsync($"/screenshot?screen={screen}").GetAwaiter().GetResult();
        return answer.StatusCode;
    }

    private async Task<PngDecoder> PictureAsync(string screen) => new(await _desk.Host.GetByteArrayAsync($"/screenshot?response_format=binary&screen={screen}"));

    private async Task<(int X, int Y)> PointerAsync(string screen)
    {
        var (_, answer) = await _desk.Post($"/cursor_position?screen={screen}", "{}");
        return (answer.GetProperty("x").GetInt32(), answer.GetProperty("y").GetInt32());
    }

    /// <summary>The X server of a display, and what was started on it.</summary>
    private static int[] ProcessesOf(string display) =>
        [.. Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(folder[6]) && Belongs(folder, display)).Select(folder => int.Parse(folder[6..], null))];

    private static bool Belongs(string folder, string display)
    {
        try
        {
            var command = File.ReadAllText($"{folder}/cmdline");
            return command.Length > 0 && (command.Contains($"\0{display}\0", StringComparison.Ordinal)
                || File.ReadAllText($"{folder}/environ").Contains($"DISPLAY={display}\0", StringComparison.Ordinal));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
