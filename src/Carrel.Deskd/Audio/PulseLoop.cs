using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Audio;

/// <summary>
/// libpulse's thread with one context, which is made anew when PulseAudio was restarted: inotify on the socket's folder,
/// served by the same thread, tells when it is back.
/// </summary>
internal sealed unsafe class PulseLoop : IDisposable
{
    private const uint IN_CREATE = 0x100;
    private const uint IN_MOVED_TO = 0x80;
    private readonly string _socket;
    private readonly List<IPulseUser> _users = [];
    private readonly Descriptor _watch;
    private readonly ITimer _retry;
    private readonly GCHandle _self;
    private readonly nint _loop;
    private readonly nint _watchEvent;
    private nint _context;
    private string? _lastProblem;
    private int _refusals;
    private bool _disposed;

    public PulseLoop(string socket, TimeProvider time)
    {
        _socket = socket;
        var folder = Path.GetDirectoryName(socket)!;
        if (!Directory.Exists(folder))
        {
            // As PulseAudio makes it.
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _watch = Descriptor.Of(Libc.inotify_init1(Libc.O_CLOEXEC | Libc.O_NONBLOCK), "inotify");
        if (Libc.inotify_add_watch(_watch.Fd, folder, IN_CREATE | IN_MOVED_TO) < 0)
        {
            throw Errno.Failed($"watching {folder}");
        }

        _self = GCHandle.Alloc(this);
        _retry = time.CreateTimer(static state => ((PulseLoop)state!).Retry(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _loop = Pulse.pa_threaded_mainloop_new();
        Pulse.pa_threaded_mainloop_set_name(_loop, "pulse");
        var api = Pulse.pa_threaded_mainloop_get_api(_loop);
        _watchEvent = api->IoNew(api, _watch.Fd, Pulse.PA_IO_EVENT_INPUT, &OnSocketFolder, GCHandle.ToIntPtr(_self));
        if (Pulse.pa_threaded_mainloop_start(_loop) < 0)
        {
            throw new IOException("starting a thread for PulseAudio failed");
        }
    }

    public void Add(IPulseUser user)
    {
        using var held = new Held(_loop);
        _users.Add(user);
        if (_context == 0)
        {
            Connect();
        }
        else if (Pulse.pa_context_get_state(_context) == Pulse.PA_CONTEXT_READY)
        {
            user.Connected(_context);
        }
    }

    /// <summary>Removes a user; returns how many are left.</summary>
    public int Remove(IPulseUser user)
    {
        using var held = new Held(_loop);
        if (_users.Remove(user))
        {
            user.Leave();
        }

        return _users.Count;
    }

    public void Dispose()
    {
        using (new Held(_loop))
        {
            _disposed = true;
            DropContext();
            Pulse.pa_threaded_mainloop_get_api(_loop)->IoFree(_watchEvent);
        }

        // Waits for a retry that is under way, which wants the lock of a loop that is still there.
        _retry.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Pulse.pa_threaded_mainloop_stop(_loop);
        Pulse.pa_threaded_mainloop_free(_loop);
        _self.Free();
        _watch.Dispose();
    }

    /// <summary>Holds the loop's lock, which its thread can take again.</summary>
    public readonly ref struct Held
    {
        private readonly nint _loop;

        public Held(nint loop) => Pulse.pa_threaded_mainloop_lock(_loop = loop);

        public void Dispose() => Pulse.pa_threaded_mainloop_unlock(_loop);
    }

    private void Connect()
    {
        _context = Pulse.pa_context_new(Pulse.pa_threaded_mainloop_get_api(_loop), "Carrel");
        Pulse.pa_context_set_state_callback(_context, &OnState, GCHandle.ToIntPtr(_self));
        if (Pulse.pa_context_connect(_context, $"unix:{_socket}", Pulse.PA_CONTEXT_NOAUTOSPAWN, 0) < 0 && _context != 0)
        {
            Lost();
        }
    }

    private void StateChanged()
    {
        switch (Pulse.pa_context_get_state(_context))
        {
            case Pulse.PA_CONTEXT_READY:
                _refusals = 0;
                _lastProblem = null;
                _users.ForEach(user => user.Connected(_context));
                break;
            case Pulse.PA_CONTEXT_FAILED or Pulse.PA_CONTEXT_TERMINATED:
                Lost();
                break;
        }
    }

    private void Lost()
    {
        var why = Pulse.Problem(_context);
        if (why != _lastProblem)
        {
            Log.Write($"PulseAudio at {_socket} went away or is not there ({why}); waiting for it");
        }

        _lastProblem = why;
        _users.ForEach(user => user.Disconnected(why));
        DropContext();

        // Without a socket file the folder tells when there is one. One that refuses belongs to a server that is about to
        // listen, of which nothing tells, or to a dead one, whose successor makes it anew.
        if (File.Exists(_socket))
        {
            _retry.Change(TimeSpan.FromMilliseconds(_refusals++ < 100 ? 5 : 1000), Timeout.InfiniteTimeSpan);
        }
    }

    private void DropContext()
    {
        if (_context != 0)
        {
            var context = _context;
            _context = 0;
            Pulse.pa_context_set_state_callback(context, null, 0);
            Pulse.pa_context_disconnect(context);
            Pulse.pa_context_unref(context);
        }
    }

    private void Retry()
    {
        using var held = new Held(_loop);
        if (_context == 0 && !_disposed)
        {
            Connect();
        }
    }

    [UnmanagedCallersOnly]
    private static void OnState(nint context, nint self)
    {
        var loop = Of(self);
        if (context == loop._context)
        {
            loop.StateChanged();
        }
    }

    [UnmanagedCallersOnly]
    private static void OnSocketFolder(Pulse.MainloopApi* api, nint source, int fd, int events, nint self)
    {
        var changes = stackalloc byte[4096];
        _ = Libc.read(fd, changes, 4096);
        var loop = Of(self);
        if (loop._context == 0 && File.Exists(loop._socket))
        {
            loop._refusals = 0;
            loop.Connect();
        }
    }

    private static PulseLoop Of(nint self) => (PulseLoop)GCHandle.FromIntPtr(self).Target!;
}
