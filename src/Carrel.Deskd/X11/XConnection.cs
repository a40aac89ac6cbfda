using System.Buffers.Binary;
using System.Net.Sockets;

namespace Carrel.Deskd.X11;

/// <summary>
/// One connection to the X server, speaking the wire protocol itself: any thread may send, one thread reads. Not Xlib,
/// because Xlib ends the process when the server goes away, and costs start-up time and memory; not xcb, because it needs
/// a library per extension.
/// </summary>
internal sealed class XConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly Lock _gate = new();
    private readonly Queue<(ushort Sequence, TaskCompletionSource<XPacket> Reply)> _awaited = new();
    private readonly Action<XPacket> _onEvent;
    private ushort _sequence;
    private uint _nextResource;
    private volatile Exception? _lost;

    private XConnection(Socket socket, XSetup setup, Action<XPacket> onEvent) =>
        (_socket, Setup, _onEvent) = (socket, setup, onEvent);

    public XSetup Setup { get; }

    public bool IsLost => _lost is not null;

    /// <summary>Connects to display number <paramref name="display"/> of this machine. <paramref name="onEvent"/> runs on the reading thread and must not block.</summary>
    public static XConnection Open(int display, Action<XPacket> onEvent)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(XSocket.Path(display)));
            return new XConnection(socket, XSetup.Exchange(socket), onEvent);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A new resource id (window, damage, segment, ...).</summary>
    public uint NewId() => Setup.ResourceBase | (Interlocked.Increment(ref _nextResource) & Setup.ResourceMask);

    /// <summary>Sends requests that have no reply.</summary>
    public void Send(XBatch batch)
    {
        lock (_gate)
        {
            Write(batch);
        }
    }

    /// <summary>Sends requests of which the last has a reply, and waits for that one.</summary>
    public Task<XPacket> AskAsync(XBatch batch)
    {
        var reply = new TaskCompletionSource<XPacket>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            // Enqueued before the bytes leave, so that the reading thread finds it however fast the server is.
            _awaited.Enqueue((unchecked((ushort)(_sequence + batch.Count)), reply));
            Write(batch);
        }

        return reply.Task;
    }

    /// <summary>Reads until the connection ends; returns why. Runs on the one reading thread.</summary>
    public Exception Pump()
    {
        try
        {
            Span<byte> head = stackalloc byte[32];
            while (true)
            {
                XSetup.ReadFully(_socket, head);
                Dispatch(ReadPacket(head));
            }
        }
        catch (Exception e) when (e is SocketException or XDisconnectedException or ObjectDisposedException)
        {
            return Lose(e);
        }
    }

    public void Dispose() => _socket.Dispose();

    private XPacket ReadPacket(ReadOnlySpan<byte> head)
    {
        // Replies (1) and generic events (35) say how much follows, in units of 4 bytes.
        var more = (head[0] & 0x7f) is 1 or 35 ? checked((int)(BinaryPrimitives.ReadUInt32LittleEndian(head[4..]) * 4)) : 0;
        var bytes = new byte[32 + more];
        head.CopyTo(bytes);
        XSetup.ReadFully(_socket, bytes.AsSpan(32));
        return new XPacket(bytes);
    }

    private void Dispatch(XPacket packet)
    {
        if (packet.U8(0) > 1)
        {
            _onEvent(packet);
            return;
        }

        TaskCompletionSource<XPacket>? awaited = null;
        lock (_gate)
        {
            if (_awaited.TryPeek(out var first) && first.Sequence == packet.U16(2))
            {
                awaited = _awaited.Dequeue().Reply;
            }
        }

        if (packet.U8(0) == 1)
        {
            awaited?.SetResult(packet);
            return;
        }

        var error = new XRequestException(packet.U8(1), packet.U8(10), packet.U16(8));
        if (awaited is null)
        {
            // Of a request without a reply, such as for a window that has just gone: nobody waits, but it is worth a line.
            Log.Write(error.Message);
        }

        awaited?.SetException(error);
    }

    private void Write(XBatch batch)
    {
        if (_lost is { } lost)
        {
            throw new XDisconnectedException("the X server is gone", lost);
        }

        _sequence = unchecked((ushort)(_sequence + batch.Count));
        var left = batch.Written.Span;
        try
        {
            while (left.Length > 0)
            {
                left = left[_socket.Send(left)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new XDisconnectedException("the X server is gone", e);
        }
    }

    private Exception Lose(Exception why)
    {
        lock (_gate)
        {
            _lost = why;
            while (_awaited.TryDequeue(out var awaited))
            {
                awaited.Reply.SetException(new XDisconnectedException("the X server went away", why));
            }
        }

        _socket.Dispose();
        return why;
    }
}
