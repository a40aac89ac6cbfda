using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Carrel.Server.Actions;

namespace Carrel.Server.Recordings;

/// <summary>
/// The actions of one recording, noted in a file as they happen: lines of milliseconds since its first picture, a tab and a
/// text. An action only queues its line; where more come than are worth reading, the rest is counted out.
/// </summary>
internal sealed class ActionNotes : IAsyncDisposable
{
    private const int Most = 10_000;
    private const int MostBytes = 900_000; // deskd takes a megabyte.

    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly DateTimeOffset _zero;
    private readonly bool _redact;
    private readonly TimeProvider _clock;
    private readonly Task _writing;
    private int _count;
    private int _bytes;

    /// <param name="zero">The moment of its first picture.</param>
    public ActionNotes(string file, DateTimeOffset zero, bool redact, TimeProvider clock)
    {
        (_zero, _redact, _clock) = (zero, redact, clock);
        _writing = WriteAsync(file);
    }

    /// <summary>When an action begins, in milliseconds of the recording.</summary>
    public long Now => (long)(_clock.GetUtcNow() - _zero).TotalMilliseconds;

    /// <summary>Notes an action that was carried out.</summary>
    public void Add(long at, DeskAction action, ReadOnlySpan<byte> body)
    {
        // Asking where the pointer is changes nothing to be seen.
        if (action.Request is null || Volatile.Read(ref _count) >= Most || Volatile.Read(ref _bytes) >= MostBytes)
        {
            return;
        }

        var line = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, at)}\t{ActionLabel.Of(action, body, _redact)}\n");
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, Encoding.UTF8.GetByteCount(line));
        _lines.Writer.TryWrite(line);
    }

    /// <summary>Completes when all that was noted is in the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync(string file)
    {
        await Task.Yield();
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await using var stream = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.Read);
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(line));
            if (!_lines.Reader.TryPeek(out _))
            {
                await stream.FlushAsync();
            }
        }
    }
}
