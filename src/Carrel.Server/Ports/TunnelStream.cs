using System.Buffers;
using System.Buffers.Binary;
using Carrel.Contracts.Deskd;

namespace Carrel.Server.Ports;

/// <summary>
/// The host's end of a <see cref="DeskdProtocol.TunnelProtocol"/>: bytes in and out of its records. The other side's end reads as
/// the end; one that was cut off is an <see cref="IOException"/>, so that half an answer is never taken for a whole one.
/// </summary>
internal sealed class TunnelStream(Stream inner) : Stream
{
    private const int HeadBytes = 2;
    private const int MostRecord = 32 * 1024 - HeadBytes;
    private readonly byte[] _incoming = ArrayPool<byte>.Shared.Rent(32 * 1024);
    private readonly byte[] _outgoing = ArrayPool<byte>.Shared.Rent(MostRecord + HeadBytes);
    private int _at;
    private int _filled;
    private int _left;
    private bool _ended;
    private int _disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Asked for nothing, the caller wants to know when there is something.
        while (!_ended && _left == 0)
        {
            await FillAsync(HeadBytes, cancellationToken);
            _left = BinaryPrimitives.ReadUInt16BigEndian(_incoming.AsSpan(_at));
            _at += HeadBytes;
            _ended = _left == 0;
        }

        if (_ended || buffer.Length == 0)
        {
            return 0;
        }

        await FillAsync(1, cancellationToken);
        var count = Math.Min(Math.Min(_left, _filled - _at), buffer.Length);
        _incoming.AsMemory(_at, count).CopyTo(buffer);
        (_at, _left) = (_at + count, _left - count);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            var count = Math.Min(buffer.Length, MostRecord);
            BinaryPrimitives.WriteUInt16BigEndian(_outgoing, (ushort)count);
            buffer[..count].CopyTo(_outgoing.AsMemory(HeadBytes));
            await inner.WriteAsync(_outgoing.AsMemory(0, HeadBytes + count), cancellationToken);
            buffer = buffer[count..];
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The buffers are left to the collector: a read or a write that is given up may still use them for a moment.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Reads until at least <paramref name="least"/> bytes are there that nobody has had.</summary>
    private async ValueTask FillAsync(int least, CancellationToken cancellationToken)
    {
        while (_filled - _at < least)
        {
            _incoming.AsSpan(_at, _filled - _at).CopyTo(_incoming);
            (_at, _filled) = (0, _filled - _at);
            var read = await inner.ReadAsync(_incoming.AsMemory(_filled), cancellationToken);
            _filled += read > 0 ? read : throw new IOException("the stream inside the computer was cut off");
        }
    }
}
