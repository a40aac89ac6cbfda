using System.Runtime.InteropServices;
using System.Text;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Streaming;

/// <summary>Takes lines from a non-blocking descriptor as they come. What is longer than a line may be is cut.</summary>
internal abstract unsafe class LineReader
{
    private const int LongestLine = 2000;
    private const int MostPerFill = 256 * 1024;
    private readonly List<byte> _line = [];

    /// <summary>Takes what is there now. False at the end.</summary>
    public bool Fill(Descriptor source)
    {
        var piece = stackalloc byte[4096];
        for (var taken = 0; taken < MostPerFill;)
        {
            var count = (int)Libc.read(source.Fd, piece, 4096);
            if (count <= 0)
            {
                return count < 0 && Marshal.GetLastPInvokeError() is Libc.EAGAIN or Libc.EINTR;
            }

            taken += count;
            foreach (var one in new ReadOnlySpan<byte>(piece, count))
            {
                Take(one);
            }
        }

        return true;
    }

    protected abstract void OnLine(string line);

    private void Take(byte one)
    {
        if (one is (byte)'\n' or (byte)'\r')
        {
            if (_line.Count > 0)
            {
                OnLine(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_line)));
                _line.Clear();
            }
        }
        else if (_line.Count < LongestLine)
        {
            _line.Add(one);
        }
    }
}

/// <summary>What ffmpeg reports with <c>-progress</c>: blocks of <c>name=value</c> lines, each ended by <c>progress=</c>.</summary>
internal sealed class FfmpegProgress : LineReader
{
    private long _frames;
    private long _microseconds;

    /// <summary>
    /// More than the first picture has gone out. The first report comes with one picture encoded; by the second, half a
    /// second later, whatever is at the other end has taken something.
    /// </summary>
    public bool HasBegun { get; private set; }

    public TimeSpan Written => TimeSpan.FromMicroseconds(Interlocked.Read(ref _microseconds));

    protected override void OnLine(string line)
    {
        if (line.StartsWith("frame=", StringComparison.Ordinal))
        {
            _ = long.TryParse(line.AsSpan(6), out _frames);
        }
        else if (line.StartsWith("out_time_us=", StringComparison.Ordinal) && long.TryParse(line.AsSpan(12), out var microseconds))
        {
            Interlocked.Exchange(ref _microseconds, Math.Max(0, microseconds));
        }
        else if (line.StartsWith("progress=", StringComparison.Ordinal))
        {
            HasBegun |= _frames > 1;
        }
    }
}

/// <summary>ffmpeg's log: its last complaints, and the moment its inputs began.</summary>
internal sealed class FfmpegLog(string? secret) : LineReader
{
    private const int Kept = 4;
    private readonly Queue<string> _complaints = new();

    /// <summary>When the earliest of its inputs began: the live ones say so in seconds of the clock.</summary>
    public DateTimeOffset? Zero { get; private set; }

    public string LastWords => string.Join("; ", _complaints);

    protected override void OnLine(string line)
    {
        if (line.Contains("[error]", StringComparison.Ordinal) || line.Contains("[fatal]", StringComparison.Ordinal))
        {
            Complain(Clean(line));
            return;
        }

        const string Start = "start: ";
        if (line.IndexOf(Start, StringComparison.Ordinal) is > 0 and var at
            && double.TryParse(line.AsSpan(at + Start.Length).ToString().Split(',')[0], System.Globalization.CultureInfo.InvariantCulture, out var seconds)
            && seconds > 1_000_000_000)
        {
            var began = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
            Zero = Zero is { } other && other < began ? other : began;
        }
    }

    private void Complain(string line)
    {
        if (!_complaints.Contains(line))
        {
            _complaints.Enqueue(line);
        }

        if (_complaints.Count > Kept)
        {
            _complaints.Dequeue();
        }
    }

    /// <summary>Without the addresses of objects and the level, and without the secret, plain or as a URL writes it.</summary>
    private string Clean(string line)
    {
        var at = Math.Max(line.IndexOf("[error]", StringComparison.Ordinal), line.IndexOf("[fatal]", StringComparison.Ordinal));
        var text = line[(at + 7)..].Trim();
        return secret is null ? text : Redact(Redact(text, secret), Uri.EscapeDataString(secret));
    }

    private static string Redact(string text, string secret) =>
        secret.Length == 0 ? text : text.Replace(secret, "***", StringComparison.OrdinalIgnoreCase);
}
