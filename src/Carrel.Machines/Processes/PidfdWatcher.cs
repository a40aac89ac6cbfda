using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Carrel.Machines.Native;

namespace Carrel.Machines.Processes;

/// <summary>
/// Tells when processes end, children or not, without polling: one thread waits in epoll for all of their pidfds.
/// </summary>
internal sealed unsafe class PidfdWatcher
{
    private const int ControlAdd = 1;
    private const int ControlDelete = 2;
    private const uint Readable = 1;

    private readonly int _epoll = Errno.Check(Libc.EpollCreate(0x80000), "create an epoll");
    private readonly ConcurrentDictionary<long, (Fd Pidfd, TaskCompletionSource Ended)> _watched = new();
    private long _next;

    private PidfdWatcher()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = "pidfd watcher" };
        thread.Start();
    }

    /// <summary>One for the process: watching needs one thread, however many machines there are.</summary>
    internal static PidfdWatcher Shared { get; } = new();

    /// <summary>Completes when the process behind <paramref name="pidfd"/> has ended. The handle stays the caller's.</summary>
    internal Task EndOf(Fd pidfd)
    {
        var key = Interlocked.Increment(ref _next);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _watched[key] = (pidfd, ended);
        var ev = new Libc.EpollEvent { Events = Readable, Data = key };
        if (Libc.EpollControl(_epoll, ControlAdd, pidfd.Value, &ev) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            _watched.TryRemove(key, out _);
            throw new NativeException("watch a process", errno);
        }

        return ended.Task;
    }

    private void Run()
    {
        var events = stackalloc Libc.EpollEvent[32];
        while (true)
        {
            var count = Libc.EpollWait(_epoll, events, 32, -1);
            for (var i = 0; i < count; i++)
            {
                if (_watched.TryRemove(events[i].Data, out var watched))
                {
                    // Before the waiter learns of it: afterwards it may close the handle.
                    _ = Libc.EpollControl(_epoll, ControlDelete, watched.Pidfd.Value, null);
                    watched.Ended.SetResult();
                }
            }
        }
    }
}
