using System.Globalization;
using System.Text;

namespace Carrel.Deskd.Recording;

/// <summary>What was done during a recording, as chapters and subtitles.</summary>
internal sealed class ActionTrack
{
    private static readonly TimeSpan LongestSubtitle = TimeSpan.FromSeconds(4);

    /// <summary>A chapter has a length, be it this.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>How much older the last picture may be than the end.</summary>
    private static readonly TimeSpan Behind = TimeSpan.FromSeconds(15);
    private List<(TimeSpan At, string Text)> _actions = [];

    /// <param name="lines">One action a line: milliseconds, a tab, its text. What is none is left out.</param>
    public static ActionTrack Parse(string lines)
    {
        var track = new ActionTrack();
        foreach (var line in lines.Split('\n'))
        {
            if (line.Split('\t', 2) is [var at, { Length: > 0 } text] && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
            {
                track._actions.Add((TimeSpan.FromMilliseconds(milliseconds), new string([.. text.Where(c => !char.IsControl(c))])));
            }
        }

        // Those of one moment stay in the order they were noted in.
        track._actions = [.. track._actions.OrderBy(action => action.At)];
        for (var i = 1; i < track._actions.Count; i++)
        {
            var (before, (at, text)) = (track._actions[i - 1].At, track._actions[i]);
            track._actions[i] = (at > before ? at : before + Shortest, text);
        }

        return track;
    }

    /// <summary>
    /// What belongs to a recording of this length. Its last pictures may be some tenths of a second older than its end, on a busy
    /// machine seconds, as they are on their way through ffmpeg when that is ended: what was done meanwhile stands at the end. What came
    /// later is left out.
    /// </summary>
    public IReadOnlyList<(TimeSpan At, string Text)> Within(TimeSpan length)
    {
        var actions = _actions.Where(action => action.At < length + Behind).ToArray();
        var latest = length;
        for (var i = actions.Length - 1; i >= 0; i--)
        {
            latest -= Shortest;
            latest = actions[i].At < latest ? actions[i].At : latest;
            actions[i].At = latest > TimeSpan.Zero ? latest : TimeSpan.Zero;
        }

        return actions;
    }

    /// <summary>
    /// ffmpeg's metadata file. Chapters cover the recording without a gap; the one before the first action is called by the
    /// recording's name.
    /// </summary>
    public string Chapters(string title, TimeSpan length)
    {
        var file = new StringBuilder(";FFMETADATA1\n").Append("title=").Append(Escape(title)).Append('\n');
        var actions = Within(length);
        if (actions.Count > 0 && actions[0].At > TimeSpan.Zero)
        {
            actions = [(TimeSpan.Zero, title), .. actions];
        }

        for (var i = 0; i < actions.Count; i++)
        {
            var end = i + 1 < actions.Count ? actions[i + 1].At : length;
            file.Append(CultureInfo.InvariantCulture, $"[CHAPTER]\nTIMEBASE=1/1000\nSTART={Milliseconds(actions[i].At)}\nEND={Milliseconds(end)}\n")
                .Append("title=").Append(Escape(actions[i].Text)).Append('\n');
        }

        return file.ToString();
    }

    /// <summary>SubRip; each action is shown until the next one, four seconds at most.</summary>
    public string Subtitles(TimeSpan length)
    {
        var file = new StringBuilder();
        var actions = Within(length);
        for (var i = 0; i < actions.Count; i++)
        {
            var (at, text) = actions[i];
            var next = i + 1 < actions.Count ? actions[i + 1].At : length;
            var end = next - at < LongestSubtitle ? next : at + LongestSubtitle;
            if (end > at)
            {
                file.Append(CultureInfo.InvariantCulture, $"{i + 1}\n{Stamp(at)} --> {Stamp(end)}\n{Plain(text)}\n\n");
            }
        }

        return file.ToString();
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static string Stamp(TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture, $"{(int)time.TotalHours:00}:{time.Minutes:00}:{time.Seconds:00},{time.Milliseconds:000}");

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            if (c is '=' or ';' or '#' or '\\')
            {
                escaped.Append('\\');
            }

            escaped.Append(c);
        }

        return escaped.ToString();
    }

    /// <summary>What SubRip would take for markup is put in characters that look the same.</summary>
    private static string Plain(string text) => text.Replace('<', '‹').Replace('>', '›').Replace('{', '❴').Replace('}', '❵').Replace('\\', '⧵');
}
