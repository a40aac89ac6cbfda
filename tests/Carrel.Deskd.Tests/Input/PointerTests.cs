using System.Globalization;
using System.Text.RegularExpressions;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Input;

/// <summary>What the mouse does is seen by another program: xev, at 100,50.</summary>
public sealed partial class PointerTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task A_click_lands_where_it_was_aimed()
    {
        using var probe = await Probe.OpenAsync(desk);
        var (_, answer) = await desk.Post("/click", ("x", 222), ("y", 133), ("button", "right"));

        Assert.Equal("""{"success":true,"action":"click","details":{"x":222,"y":133,"button":"right","double":false}}""", answer.ToString());
        Assert.Equal([("ButtonPress", 222, 133, 3), ("ButtonRelease", 222, 133, 3)], await probe.ReadAsync("Button", 2));
    }

    [Theory]
    [InlineData("/click", """{"x":200,"y":100}""", 2)]
    [InlineData("/click", """{"x":200,"y":100,"button":"middle","repeat":3}""", 6)]
    [InlineData("/click", """{"x":200,"y":100,"double":true}""", 4)]
    [InlineData("/double_click", """{"x":200,"y":100}""", 4)]
    [InlineData("/scroll", """{"x":200,"y":100}""", 6)]
    [InlineData("/scroll", """{"x":200,"y":100,"direction":"up","amount":1}""", 2)]
    public async Task A_press_and_a_release_for_each_click_and_notch(string path, string body, int events)
    {
        using var probe = await Probe.OpenAsync(desk);
        var (status, _) = await desk.Post(path, body);
        await desk.Post("/click", ("x", 299), ("y", 99));

        var seen = await probe.ReadAsync("Button", events + 2);
        Assert.Equal(200, status);
        Assert.Equal(events, seen.Count(e => e.X == 200));
    }

    [Theory]
    [InlineData("up", 4)]
    [InlineData("down", 5)]
    [InlineData("left", 6)]
    [InlineData("right", 7)]
    public async Task The_wheel_turns_each_way(string direction, int button)
    {
        using var probe = await Probe.OpenAsync(desk);
        await desk.Post("/scroll", ("x", 200), ("y", 100), ("direction", direction), ("amount", 1));

        Assert.Equal(button, (await probe.ReadAsync("Button", 2))[0].Button);
    }

    [Fact]
    public async Task A_drag_moves_through_points_between()
    {
        using var probe = await Probe.OpenAsync(desk);
        var (_, answer) = await desk.Post("/drag", ("start_x", 110), ("start_y", 60), ("end_x", 310), ("end_y", 160), ("duration", 0.3));
        await probe.ReadAsync("ButtonRelease", 1);
        var seen = await probe.ReadAsync("", 2);

        Assert.Equal("drag", answer.GetProperty("action").GetString());
        Assert.Equal((110, 60), seen.Where(e => e.Kind == "ButtonPress").Select(e => (e.X, e.Y)).Single());
        Assert.Equal((310, 160), seen.Where(e => e.Kind == "ButtonRelease").Select(e => (e.X, e.Y)).Single());
        var between = seen.Where(e => e.Kind == "MotionNotify" && e.X is > 110 and < 310).ToList();
        Assert.InRange(between.Count, 10, 25);
        Assert.All(between, e => Assert.InRange(e.Y, (e.X / 2) + 4, (e.X / 2) + 6));
    }

    [Fact]
    public async Task The_position_is_where_the_pointer_was_moved()
    {
        await desk.Post("/mouse_move", ("x", 0), ("y", 719));
        var (_, answer) = await desk.Post("/cursor_position", "");

        Assert.Equal((0, 719), (answer.GetProperty("x").GetInt32(), answer.GetProperty("y").GetInt32()));
    }

    private readonly record struct Seen(string Kind, int X, int Y, int Button)
    {
        public static implicit operator Seen((string Kind, int X, int Y, int Button) s) => new(s.Kind, s.X, s.Y, s.Button);
    }

    private sealed partial class Probe(RunningProgram xev, string file) : IDisposable
    {
        private static int _count;

        public static async Task<Probe> OpenAsync(Desk desk)
        {
            var file = Path.Combine(desk.Folder, $"xev-{Interlocked.Increment(ref _count)}");
            await desk.Post("/mouse_move", ("x", 900), ("y", 700));
            var xev = desk.Start("exec stdbuf -oL xev -geometry 400x300+100+50 -event button -event mouse -event expose", file);
            Assert.Contains("Expose", await Eventually.Is(() => Read(file), t => t.Contains("Expose", StringComparison.Ordinal)), StringComparison.Ordinal);
            return new Probe(xev, file);
        }

        public async Task<List<Seen>> ReadAsync(string kind, int count)
        {
            List<Seen> Parse() => [.. Pattern().Matches(Read(file)).Select(m => new Seen(
                m.Groups[1].Value, Number(m, 2), Number(m, 3), m.Groups[4].Success ? Number(m, 4) : 0))
                .Where(s => s.Kind.StartsWith(kind, StringComparison.Ordinal))];
            return await Eventually.Is(Parse, seen => seen.Count >= count);
        }

        public void Dispose() => xev.Dispose();

        private static string Read(string file) => File.Exists(file) ? File.ReadAllText(file) : "";

        private static int Number(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

        [GeneratedRegex(@"(ButtonPress|ButtonRelease|MotionNotify) event.*\n.*root:\((\d+),(\d+)\),\n\s*state 0x\w+, (?:button (\d+))?")]
        private static partial Regex Pattern();
    }
}
