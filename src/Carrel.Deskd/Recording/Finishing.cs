using System.Text;
using Carrel.Deskd.Streaming;

namespace Carrel.Deskd.Recording;

/// <summary>A recording as it is handed out.</summary>
/// <param name="Actions">Those that it has as chapters.</param>
/// <param name="Problem">Why it has no chapters and cannot be sought in quickly, though it can be watched.</param>
internal sealed record FinishedRecording(long Bytes, TimeSpan Length, int Actions, string? Problem);

/// <summary>Makes a plain MP4 of the fragments: index in front, chapters and subtitles in. Nothing is encoded again.</summary>
internal static class Finishing
{
    public const string RawName = "raw.mp4";
    private const string FinishedName = "finished.mp4";

    /// <summary>Null and why, where not a picture is left of it.</summary>
    public static async Task<(FinishedRecording? Recording, string? Why)> RunAsync(
        int display, string folder, string title, ActionTrack actions, CancellationToken cancellationToken)
    {
        var (raw, finished) = (Path.Combine(folder, RawName), Path.Combine(folder, FinishedName));
        if (!File.Exists(raw) && File.Exists(finished))
        {
            // Finished before, and not fetched: it is made anew of itself, so that an answer that was lost can be asked for again.
            File.Move(finished, raw);
        }

        // How long it is, nobody has written down when its ffmpeg was killed: looking at its packets tells.
        var (length, broken) = await CopyAsync(display, ["-i", raw, "-map", "0:v", "-c", "copy", "-f", "null", "-"], cancellationToken);
        if (length == TimeSpan.Zero)
        {
            return (null, broken ?? "nothing was recorded");
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "chapters"), actions.Chapters(title, length), cancellationToken);
        var subtitles = actions.Subtitles(length);
        await File.WriteAllTextAsync(Path.Combine(folder, "subtitles"), subtitles, cancellationToken);
        var (_, why) = await CopyAsync(
            display,
            [
                "-i", raw, "-f", "ffmetadata", "-i", Path.Combine(folder, "chapters"),
                .. subtitles.Length > 0 ? (string[])["-f", "srt", "-i", Path.Combine(folder, "subtitles")] : [],
                "-map", "0:v", "-map", "0:a?",
                .. subtitles.Length > 0 ? (string[])["-map", "2:s", "-c:s", "mov_text", "-metadata:s:s:0", "title=Actions"] : [],
                "-map_metadata", "1", "-map_chapters", "1", "-c:v", "copy", "-c:a", "copy",
                "-movflags", "+faststart", "-f", "mp4", "-y", finished,
            ],
            cancellationToken);
        if (why is null)
        {
            File.Delete(raw);
        }

        else
        {
            File.Delete(finished);
        }

        return (new FinishedRecording(FileIn(folder).Length, length, why is null ? actions.Within(length).Count : 0, why), null);
    }

    /// <summary>What there is to hand out: the finished file, or else the fragments, which can be watched too.</summary>
    public static FileInfo FileIn(string folder) =>
        new FileInfo(Path.Combine(folder, FinishedName)) is { Exists: true } finished ? finished : new FileInfo(Path.Combine(folder, RawName));

    private static async Task<(TimeSpan Length, string? Why)> CopyAsync(int display, string[] arguments, CancellationToken cancellationToken)
    {
        var process = await FfmpegProcess.StartAsync(display, arguments);
        FfmpegEnd end;
        await using (cancellationToken.UnsafeRegister(static running => ((FfmpegProcess)running!).Stop(), process))
        {
            end = await process.Ended;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return (process.Written, end is { ExitCode: 0, Signal: 0 } ? null : end.Describe());
    }
}
