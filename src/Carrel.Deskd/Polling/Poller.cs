using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Polling;

/// <summary>
/// Tells when descriptors that are no sockets can be read or written: one thread with one epoll for all of them, there
/// only while there is something to watch.
/// </summary>
internal sealed unsafe class Poller
{
    private const int Batch = 64;
    private static readonly Lock Gate = new();
    private static Poller? _current;
    private readonly Descriptor _epoll = Descriptor.Of(Epoll.epoll_create1(Epoll.EPOLL_CLOEXEC), "epoll");
    private readonly Descriptor _wake = Descriptor.Of(Libc.eventfd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK), "an eventfd");
    private readonly Dictionary<long, Polled> _watched = [];
    private long _lastId;

    private Poller()
    {
        Control(Epoll.EPOLL_CTL_ADD, _wake.Fd, Epoll.EPOLLIN, 0);
        new Thread(Run, maxStackSize: 128 * 1024) { IsBackground = true, Name = "poller" }.Start();
    }

    /// <summary>Watches a descriptor until the answer is disposed, which comes before the descriptor is.</summary>
    public static Polled Watch(Descriptor descriptor)
    {
        lock (Gate)
        {
            var poller = _current ??= new Poller();
            var polled = new Polled(poller, ++poller._lastId, descriptor.Fd);
            poller._watched.Add(polled.Id, polled);
            poller.Control(Epoll.EPOLL_CTL_ADD, descriptor.Fd, Epoll.EPOLLIN | Epoll.EPOLLOUT | Epoll.EPOLLET, polled.Id);
            return polled;
        }
    }

    internal void Forget(Polled polled)
    {
        lock (Gate)
        {
            if (!_watched.Remove(polled.Id))
            {
                return;
            }

            Control(Epoll.EPOLL_CTL_DEL, polled.Fd, 0, 0);
            if (_watched.Count == 0)
            {
                _current = null;
                ulong one = 1;
                _ = Libc.write(_wake.Fd, (byte*)&one, sizeof(ulong));
            }
        }
    }

    private void Control(int operation, int fd, uint events, long id)
    {
        var change = new Epoll.Event { Events = events, Data = id };
        if (Epoll.epoll_ctl(_epoll.Fd, operation, fd, &change) < 0)
        {
            throw Errno.Failed("changing what epoll watches");
        }
    }

    private void Run()
    {
        var events = stackalloc Epoll.Event[Batch];
        while (true)
        {
            var count = Epoll.epoll_wait(_epoll.Fd, events, Batch, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Libc.EINTR)
            {
                throw Errno.Failed("waiting for descriptors");
            }

            for (var i = 0; i < count; i++)
            {
                if (events[i].Data == 0)
                {
                    _epoll.Dispose();
                    _wake.Dispose();
                    return;
                }

                Find(events[i].Data)?.Tell(events[i].Events);
            }
        }
    }

    private Polled? Find(long id)
    {
        lock (Gate)
        {
            return _watched.GetValueOrDefault(id);
        }
    }
}

/// <summary>A watched descriptor. Edges are told: read or write until it would block, then wait.</summary>
internal sealed class Polled(Poller poller, long id, int fd) : IDisposable
{
    public Signal Readable { get; } = new();

    public Signal Writable { get; } = new();

    internal long Id => id;

    internal int Fd => fd;

    public void Dispose() => poller.Forget(this);

    internal void Tell(uint events)
    {
        if ((events & ~Epoll.EPOLLOUT) != 0)
        {
            Readable.Set();
        }

        if ((events & ~Epoll.EPOLLIN) != 0)
        {
            Writable.Set();
        }
    }
}
