using System.Globalization;
using System.Text.Json;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>
/// What most agents run inside a computer: a process per action. Timed inside, by Python around the process, so that the
/// peer is spared the way over the API which ours includes.
/// </summary>
internal sealed class Peers(Computer computer)
{
    internal const string Screenshot = "scrot inside";
    internal const string Click = "xdotool inside";
    internal const string Shell = "bash -c by Python inside";

    internal Task<double> ScreenshotAsync() => TimeAsync(["scrot", "-o", "/tmp/peer.png"]);

    internal Task<double> ClickAsync(int x, int y)
        => TimeAsync(["xdotool", "mousemove", x.ToString(CultureInfo.InvariantCulture), y.ToString(CultureInfo.InvariantCulture), "click", "1"]);

    internal Task<double> KeyAsync() => TimeAsync(["xdotool", "key", "shift"]);

    internal Task<double> ShellAsync() => TimeAsync(["bash", "-c", "true"]);

    private async Task<double> TimeAsync(string[] command)
    {
        var code = $"""
            import subprocess, time, os
            os.environ["DISPLAY"] = ":99"
            t = time.perf_counter()
            subprocess.run({JsonSerializer.Serialize(command)}, check=True)
            print((time.perf_counter() - t) * 1000)
            """;
        var answer = await computer.DoAsync("exec", new { code });
        return double.Parse(answer["output"]!.GetValue<string>(), CultureInfo.InvariantCulture);
    }
}
