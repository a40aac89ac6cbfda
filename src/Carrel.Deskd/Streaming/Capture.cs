using System.Globalization;

namespace Carrel.Deskd.Streaming;

/// <summary>What ffmpeg takes from the computer: its screen with the pointer, and what its speaker plays.</summary>
/// <param name="Width">Pixels of the screen.</param>
/// <param name="Height">Pixels of the screen.</param>
internal sealed record Capture(int Display, int Width, int Height, int Fps, bool Audio)
{
    private const string Speaker = "speaker.monitor";

    /// <summary>
    /// Both inputs stamp with the clock, and <c>-copyts</c> keeps those stamps: else each would count from its own opening, and
    /// sound would lead by the tenth of a second between them.
    /// </summary>
    public IEnumerable<string> Inputs =>
    [
        "-copyts",
        .. Audio ? (string[])["-thread_queue_size", "512", "-f", "pulse", "-i", Speaker] : [],
        "-thread_queue_size", "32", "-f", "x11grab", "-draw_mouse", "1", "-framerate", Number(Fps),
        "-video_size", $"{Number(Width)}x{Number(Height)}", "-i", $":{Number(Display)}",
    ];

    /// <summary>H.264 for everybody's player, and AAC.</summary>
    public IEnumerable<string> Codecs =>
    [
        "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", Number(Fps * 2),
        .. Audio ? (string[])["-c:a", "aac", "-b:a", "128k"] : [],
        "-avoid_negative_ts", "make_zero",
    ];

    /// <summary>H.264 with halved colour wants even sizes; an odd screen loses its last row or column.</summary>
    public static Capture Of(int display, (int Width, int Height) screen, int fps, bool audio) =>
        new(display, screen.Width & ~1, screen.Height & ~1, fps, audio);

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
