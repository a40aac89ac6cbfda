using Carrel.Deskd.Native;

namespace Carrel.Deskd.Events;

/// <summary>One thread that sleeps until one of the sources' descriptors has something to read. There is none while there is no descriptor.</summary>
internal sealed class DescriptorLoop
{
    private const int MostEvents = 64;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Action> _handlers = [];
    private readonly Dictionary<int, ulong> _keys = [];
    private Descriptor? _epoll;
    private Descriptor? _stop;
    private ulong _next;

    /// <summary>Calls <paramref name="ready"/> on the loop's thread whenever <paramref name="fd"/> is readable. It must not block.</summary>
    public unsafe void Add(int fd, Action ready)
    {
        lock (_gate)
        {
            var starts = _epoll is null;
            var epoll = _epoll ??= Descriptor.Of(Libc.epoll_create1(Libc.O_CLOEXEC), "an epoll instance");

            // By a key of its own and not by its number, which the next descriptor may get while an event is on its way.
            var key = ++_next;
            var wanted = new Libc.EpollEvent { Events = Libc.EPOLLIN, Data = key };
            if (Libc.epoll_ctl(epoll.Fd, Libc.EPOLL_CTL_ADD, fd, &wanted) != 0)
            {
                throw Errno.Failed("waiting for a descriptor");
            }

            (_handlers[key], _keys[fd]) = (ready, key);
            if (starts)
            {
                var stop = _stop = Descriptor.Of(Libc.eventfd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK), "an eventfd");
                wanted.Data = 0;
                _ = Libc.epoll_ctl(epoll.Fd, Libc.EPOLL_CTL_ADD, stop.Fd, &wanted);
                new Thread(() => Run(epoll, stop), maxStackSize: 256 * 1024) { IsBackground = true, Name = "events" }.Start();
            }
        }
    }

    /// <summary>Forgets a descriptor, which must still be open. A call that is under way may go on for a moment.</summary>
    public unsafe void Remove(int fd)
    {
        lock (_gate)
        {
            if (!_keys.Remove(fd, out var key))
            {
                return;
            }

            _handlers.Remove(key);
            _ = Libc.epoll_ctl(_epoll!.Fd, Libc.EPOLL_CTL_DEL, fd, null);
            if (_handlers.Count == 0)
            {
                ulong one = 1;
                _ = Libc.write(_stop!.Fd, (byte*)&one, sizeof(ulong));
                (_epoll, _stop) = (null, null);
            }
        }
    }

    private unsafe void Run(Descriptor epoll, Descriptor stop)
    {
        using (epoll)
        using (stop)
        {
            var events = stackalloc Libc.EpollEvent[MostEvents];
            while (true)
            {
                var ready = Libc.epoll_wait(epoll.Fd, events, MostEvents, -1);
                for (var i = 0; i < ready; i++)
                {
                    if (events[i].Data == 0)
                    {
                        return;
                    }

                    Call(events[i].Data);
                }
            }
        }
    }

    private void Call(ulong key)
    {
        Action? handler;
        lock (_gate)
        {
            handler = _handlers.GetValueOrDefault(key);
        }

        try
        {
            handler?.Invoke();
        }
        catch (Exception e)
        {
            Log.Write("an event source failed", e);
        }
    }
}
