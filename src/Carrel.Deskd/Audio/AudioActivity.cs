using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Audio;

/// <summary>
/// Tells when something starts to play on a computer that was silent, and when the last that played has stopped. A paused
/// stream does not play. PulseAudio tells of changes; nothing is polled, and nothing is held while nobody watches.
/// </summary>
internal sealed unsafe class AudioActivity(PulseLink link) : IPulseUser
{
    // Order of locks: this one, then PulseAudio's. The list of watchers is replaced, so that PulseAudio's thread, which
    // holds its own lock, reads it without this one.
    private readonly Lock _gate = new();
    private Action<bool>[] _watchers = [];
    private IDisposable? _membership;
    private GCHandle _self;
    private nint _context;
    private nint _listing;
    private bool? _playing;
    private int _counted;
    private bool _changedMeanwhile;

    /// <summary>
    /// Calls back with true when the speaker gets its first playing stream and with false when it loses its last, until
    /// the answer is disposed. How things are at the beginning is not told. The call comes on PulseAudio's thread: hand
    /// it on, and do not end the watch from it.
    /// </summary>
    public IDisposable Watch(Action<bool> changed)
    {
        lock (_gate)
        {
            _watchers = [.. _watchers, changed];
            if (_membership is null)
            {
                // Kept from then on: there is one of us.
                _self = _self.IsAllocated ? _self : GCHandle.Alloc(this);
                _playing = null;
                _membership = link.Join(this);
            }

            return new Watching(this, changed);
        }
    }

    void IPulseUser.Connected(nint context)
    {
        _context = context;
        Pulse.pa_context_set_subscribe_callback(context, &OnEvent, GCHandle.ToIntPtr(_self));
        Forget(Pulse.pa_context_subscribe(context, Pulse.PA_SUBSCRIPTION_MASK_SINK_INPUT, null, 0));
        Count();
    }

    void IPulseUser.Disconnected(string why)
    {
        EndListing();
        _context = 0;
        Tell(false);
    }

    void IPulseUser.Leave()
    {
        EndListing();
        if (_context != 0)
        {
            Pulse.pa_context_set_subscribe_callback(_context, null, 0);
            Forget(Pulse.pa_context_subscribe(_context, 0, null, 0));
            _context = 0;
        }
    }

    private void Unwatch(Action<bool> changed)
    {
        lock (_gate)
        {
            var at = Array.IndexOf(_watchers, changed);
            _watchers = [.. _watchers[..at], .. _watchers[(at + 1)..]];
            if (_watchers.Length == 0)
            {
                _membership!.Dispose();
                _membership = null;
            }
        }
    }

    private void Count()
    {
        if (_listing != 0)
        {
            _changedMeanwhile = true;
            return;
        }

        _changedMeanwhile = false;
        _counted = 0;
        _listing = Pulse.pa_context_get_sink_input_info_list(_context, &OnSinkInput, GCHandle.ToIntPtr(_self));
    }

    private void EndListing()
    {
        if (_listing != 0)
        {
            Pulse.pa_operation_cancel(_listing);
            Pulse.pa_operation_unref(_listing);
            _listing = 0;
        }
    }

    private void Counted()
    {
        Pulse.pa_operation_unref(_listing);
        _listing = 0;
        Tell(_counted > 0);
        if (_changedMeanwhile)
        {
            Count();
        }
    }

    private void Tell(bool playing)
    {
        var before = _playing;
        _playing = playing;
        if (before is not null && before != playing)
        {
            foreach (var watcher in _watchers)
            {
                watcher(playing);
            }
        }
    }

    [UnmanagedCallersOnly]
    private static void OnEvent(nint context, int type, uint index, nint self) => Of(self).Count();

    [UnmanagedCallersOnly]
    private static void OnSinkInput(nint context, Pulse.SinkInputInfo* info, int end, nint self)
    {
        var activity = Of(self);
        if (end != 0)
        {
            activity.Counted();
        }
        else if (info->Corked == 0)
        {
            activity._counted++;
        }
    }

    private static void Forget(nint operation)
    {
        if (operation != 0)
        {
            Pulse.pa_operation_unref(operation);
        }
    }

    private static AudioActivity Of(nint self) => (AudioActivity)GCHandle.FromIntPtr(self).Target!;

    private sealed class Watching(AudioActivity activity, Action<bool> changed) : IDisposable
    {
        private Action<bool>? _changed = changed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _changed, null) is { } ended)
            {
                activity.Unwatch(ended);
            }
        }
    }
}
