using System.Threading.Channels;
using Carrel.Contracts.Events;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Events;

/// <summary>
/// The events that wait for one reader. When it is full, what comes is dropped and counted, and the reader is told the count at
/// the place where the events are missing.
/// </summary>
internal sealed class EventOutbox
{
    /// <summary>The clipboard can make an event a megabyte large.</summary>
    public const int MostBytes = 8 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<ReadOnlyMemory<byte>> _waiting = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _bytes;
    private int _dropped;

    /// <summary>Adds a message for the reader. Never waits.</summary>
    public void Offer(ReadOnlyMemory<byte> message)
    {
        lock (_gate)
        {
            if (_waiting.Count >= EventCatalogue.BufferedEvents || (_bytes + message.Length > MostBytes && _waiting.Count > 0))
            {
                _dropped++;
                return;
            }

            if (_dropped > 0)
            {
                Enqueue(TakeDropped());
            }

            Enqueue(message);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>The next message for the reader, or null when the outbox is closed.</summary>
    public async Task<ReadOnlyMemory<byte>?> NextAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_waiting.TryDequeue(out var message))
                {
                    _bytes -= message.Length;
                    return message;
                }

                if (_dropped > 0)
                {
                    return TakeDropped();
                }
            }

            if (!await _wake.Reader.WaitToReadAsync())
            {
                return null;
            }

            _wake.Reader.TryRead(out _);
        }
    }

    public void Close() => _wake.Writer.TryComplete();

    private void Enqueue(ReadOnlyMemory<byte> message)
    {
        _bytes += message.Length;
        _waiting.Enqueue(message);
    }

    private ReadOnlyMemory<byte> TakeDropped()
    {
        var count = _dropped;
        _dropped = 0;
        return Reply.JsonBytes(json =>
        {
            json.WriteString("type"u8, "dropped"u8);
            json.WriteNumber("count"u8, count);
        });
    }
}
