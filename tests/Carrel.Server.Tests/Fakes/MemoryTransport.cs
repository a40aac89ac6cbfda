using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Carrel.Server.Tests.Fakes;

/// <summary>A Kestrel transport without sockets: a connection is two pipes, and carries what it was opened for.</summary>
internal sealed class MemoryTransport : IConnectionListenerFactory, IConnectionListener
{
    public sealed class MemoryEndPoint : EndPoint;

    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>();
    private int _count;

    public EndPoint EndPoint { get; } = new MemoryEndPoint();

    public DuplexStream Connect(object item)
    {
        var (toServer, toClient) = (new Pipe(), new Pipe());
        var connection = new MemoryConnection($"m{Interlocked.Increment(ref _count)}")
        {
            Transport = new Duplex(toServer.Reader, toClient.Writer),
        };
        connection.Items["machine"] = item;
        _accepted.Writer.TryWrite(connection);
        return new DuplexStream(toClient.Reader, toServer.Writer);
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _accepted.Reader.WaitToReadAsync(cancellationToken) && _accepted.Reader.TryRead(out var connection) ? connection : null;

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return default;
    }

    public ValueTask DisposeAsync() => default;

    private sealed class MemoryConnection(string id) : DefaultConnectionContext(id)
    {
        /// <summary>Not the base's: that disposes a token source which an abort may be about to cancel.</summary>
#pragma warning disable CA2215
        public override async ValueTask DisposeAsync()
        {
            await Transport.Input.CompleteAsync();
            await Transport.Output.CompleteAsync();
        }
#pragma warning restore CA2215
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>Both ends of a pair of pipes as one stream.</summary>
internal sealed class DuplexStream(PipeReader input, PipeWriter output) : Stream
{
    private readonly Stream _in = input.AsStream();
    private readonly Stream _out = output.AsStream();

    public static (DuplexStream One, DuplexStream Other) Pair()
    {
        var (a, b) = (new Pipe(), new Pipe());
        return (new DuplexStream(a.Reader, b.Writer), new DuplexStream(b.Reader, a.Writer));
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    private volatile bool _broken;

    /// <summary>As when the peer's process is killed: what is under way here fails, and the other end sees a reset.</summary>
    public void Break()
    {
        _broken = true;
        input.CancelPendingRead();
        output.CancelPendingFlush();
        output.Complete(new IOException("connection reset"));
    }

    public override int Read(byte[] buffer, int offset, int count) => _in.Read(buffer, offset, count);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return _broken ? throw new IOException("connection reset") : await _in.ReadAsync(buffer, cancellationToken);
        }
        catch (OperationCanceledException) when (_broken)
        {
            throw new IOException("connection reset");
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => _out.Write(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _out.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _out.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Flush() => _out.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _out.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_broken)
        {
            _broken = true;
            input.CancelPendingRead(); // A closed socket ends what reads from it; a pipe has to be told.
            output.Complete();
        }

        base.Dispose(disposing);
    }
}
