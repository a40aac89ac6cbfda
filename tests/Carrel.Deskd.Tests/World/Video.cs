using System.Text.Json;

namespace Carrel.Deskd.Tests.World;

/// <summary>Looks into films with ffprobe and ffmpeg.</summary>
internal static class Video
{
    public static async Task<JsonElement> ProbeAsync(Desk desk, string file) =>
        JsonDocument.Parse(await OutputAsync(desk, $"ffprobe -v error -print_format json -show_format -show_streams -show_chapters '{file}'")).RootElement;

    /// <summary>The colour of a place off the pointer at a time, as <c>rrggbb</c>.</summary>
    public static async Task<string> ColourAsync(Desk desk, string file, double seconds) =>
        (await OutputAsync(desk, FormattableString.Invariant(
            $"ffmpeg -v error -nostdin -ss {seconds} -i '{file}' -frames:v 1 -vf crop=2:2:100:100,format=rgb24 -f rawvideo - | od -An -tx1 -N3 | tr -d ' \\n'")));

    /// <summary>Whether a colour is this one, but for what encoding takes.</summary>
    public static bool Resembles(string colour, int red, int green, int blue) =>
        colour.Length == 6 && new[] { red, green, blue }.Select((wanted, i) => Math.Abs(Convert.ToInt32(colour.Substring(i * 2, 2), 16) - wanted)).Max() < 24;

    public static async Task<string> OutputAsync(Desk desk, string command)
    {
        var (_, answer) = await desk.Post("/bash", ("command", command));
        Assert.True(answer.GetProperty("exit_code").GetInt32() == 0, answer.ToString());
        return answer.GetProperty("output").GetString()!;
    }
}
