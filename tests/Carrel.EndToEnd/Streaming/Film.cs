using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Streaming;

/// <summary>Looks into films with ffprobe and ffmpeg.</summary>
internal static partial class Film
{
    internal static async Task<JsonObject> ProbeAsync(string file)
    {
        var (code, output) = await HostProcess.RunAsync("ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", "-show_chapters", file);
        Assert.True(code == 0, output);
        return JsonNode.Parse(output)!.AsObject();
    }

    internal static JsonObject Stream(JsonObject probe, string kind) =>
        probe["streams"]!.AsArray().Select(stream => stream!.AsObject()).First(stream => stream["codec_type"]!.GetValue<string>() == kind);

    internal static double Seconds(JsonNode? text) => double.Parse(text!.GetValue<string>(), CultureInfo.InvariantCulture);

    /// <summary>The loudest of its sound, dB below full scale.</summary>
    internal static async Task<double> LoudestAsync(string file)
    {
        var (_, output) = await HostProcess.RunAsync("ffmpeg", "-nostdin", "-hide_banner", "-i", file, "-map", "0:a", "-af", "volumedetect", "-f", "null", "-");
        var loudest = Loudest().Match(output);
        Assert.True(loudest.Success, output);
        return double.Parse(loudest.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>Whether a place of the film is red at a time.</summary>
    internal static async Task<bool> IsRedAsync(string file, double seconds, int x, int y)
    {
        var (code, output) = await HostProcess.RunAsync("bash", "-ec", string.Create(
            CultureInfo.InvariantCulture,
            $"ffmpeg -v error -nostdin -ss {seconds} -i '{file}' -frames:v 1 -vf crop=2:2:{x}:{y},format=rgb24 -f rawvideo - | od -An -tu1 -N3"));
        Assert.True(code == 0, output);
        var colour = output.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToList();
        Assert.True(colour.Count == 3, $"no picture at {seconds}: {output}");
        return colour is [> 200, < 60, < 60];
    }

    [GeneratedRegex("max_volume: (-?[0-9.]+) dB")]
    private static partial Regex Loudest();
}
