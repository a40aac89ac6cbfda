using Carrel.Contracts;
using Carrel.Machines.Native;
using Carrel.Machines.Processes;

namespace Carrel.Machines.Views;

/// <summary>
/// Keeps what machines are shown of their limits in /proc and /sys alive: takes lxcfs over or starts it, and when it ends,
/// whoever ended it, starts another and mounts its files in every machine in place of the dead ones.
/// </summary>
internal sealed class MachineViews : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lxcfs _lxcfs;
    private readonly string _mount;
    private readonly Func<IEnumerable<Fd>> _machines;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private volatile Task _ready = Task.CompletedTask;
    private Task _watching = Task.CompletedTask;
    private int _generation;

    private MachineViews(Lxcfs lxcfs, string mount, Func<IEnumerable<Fd>> machines, TimeProvider time)
        => (_lxcfs, _mount, _machines, _time) = (lxcfs, mount, machines, time);

    /// <summary>Changes with every new lxcfs.</summary>
    internal int Generation => Volatile.Read(ref _generation);

    /// <summary>Completes when there is an lxcfs that answers; a launch waits for it.</summary>
    internal Task Ready => _ready;

    /// <summary>Without FUSE on the host there are none: null, and machines see the host's figures.</summary>
    /// <param name="machines">The first processes of all machines that run.</param>
    internal static async Task<Outcome<MachineViews?>> OpenAsync(Folders folders, Func<IEnumerable<Fd>> machines, TimeProvider time)
    {
        if (!File.Exists("/dev/fuse"))
        {
            return (MachineViews?)null;
        }

        var views = new MachineViews(new Lxcfs(folders, time), folders.Lxcfs, machines, time);
        if (views._lxcfs.Find() is { } living)
        {
            views._watching = views.WatchAsync(living);
            return views;
        }

        var started = await views._lxcfs.StartAsync().ConfigureAwait(false);
        if (!started.Succeeded)
        {
            return started.Failure;
        }

        views.AttachAll();
        views._watching = views.WatchAsync(started.Value);
        return views;
    }

    /// <summary>Mounts the files in a machine that began with those of an lxcfs that has ended meanwhile.</summary>
    internal void Attach(Fd init) => MachineMounts.Replace(init, _mount, ViewFiles.All);

    /// <summary>Ends lxcfs: no machine runs any more.</summary>
    internal async Task EndAsync()
    {
        await DisposeAsync().ConfigureAwait(false);
        await _lxcfs.StopAsync().ConfigureAwait(false);
    }

    /// <summary>lxcfs goes on, for the machines.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
    }

    private async Task WatchAsync(Fd process)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = _stop.Token.Register(stopped.SetResult).ConfigureAwait(false);
        while (true)
        {
            await Task.WhenAny(PidfdWatcher.Shared.EndOf(process), stopped.Task).ConfigureAwait(false);
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            process.Dispose();
            var ready = new TaskCompletionSource();
            _ready = ready.Task;
            var next = await RestartAsync(stopped.Task).ConfigureAwait(false);
            ready.SetResult();
            if (next is null)
            {
                return;
            }

            process = next;
        }
    }

    private async Task<Fd?> RestartAsync(Task stopped)
    {
        while (!_stop.IsCancellationRequested)
        {
            var started = await _lxcfs.StartAsync().ConfigureAwait(false);
            if (started.Succeeded)
            {
                AttachAll();
                return started.Value;
            }

            await Task.WhenAny(Task.Delay(Pause, _time), stopped).ConfigureAwait(false);
        }

        return null;
    }

    private void AttachAll()
    {
        Interlocked.Increment(ref _generation);
        foreach (var init in _machines())
        {
            using (init)
            {
                TryAttach(init);
            }
        }
    }

    private void TryAttach(Fd init)
    {
        try
        {
            Attach(init);
        }
        catch (NativeException)
        {
            // It is being taken apart; whatever else it may be must not keep the others from theirs.
        }
    }
}
