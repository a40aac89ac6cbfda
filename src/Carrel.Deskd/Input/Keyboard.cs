using System.Text;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Input;

/// <summary>Types text and presses keys on one display. Its caller sees to it that only one does so at a time.</summary>
internal sealed class Keyboard
{
    private readonly InputDevice _device;
    private readonly TimeProvider _time;
    private readonly SpareKeys _spares;
    private Keymap? _keymap;
    private volatile bool _stale = true;

    public Keyboard(InputDevice device, TimeProvider time)
    {
        (_device, _time, _spares) = (device, time, new SpareKeys(time));
        device.Display.EventReceived += OnEvent;
    }

    /// <summary>Whether symbols of ours are on spare keys.</summary>
    public bool HasBorrowed => _spares.InUse;

    /// <summary>Presses the keys in order and releases them in reverse.</summary>
    public async Task PressAsync(KeyCombination combination)
    {
        await RefreshAsync();
        while (combination.Keysyms.Any(k => !IsThere(k)))
        {
            await BorrowAsync([.. combination.Keysyms], CancellationToken.None);
        }

        var batch = new XBatch();
        var held = new Stack<byte>();
        foreach (var keysym in combination.Keysyms)
        {
            var stroke = Find(keysym);
            foreach (var keycode in Modifiers(stroke).Append(stroke.Keycode).Where(k => !held.Contains(k)))
            {
                _device.Key(batch, keycode, down: true);
                held.Push(keycode);
            }
        }

        while (held.TryPop(out var keycode))
        {
            _device.Key(batch, keycode, down: false);
        }

        await _device.SendAsync(batch);
    }

    /// <summary>Types symbols one after another, one each <paramref name="pace"/>; with no pace, as fast as the server takes them.</summary>
    public async Task TypeAsync(IReadOnlyList<uint> keysyms, TimeSpan pace, CancellationToken cancellationToken)
    {
        await RefreshAsync();
        var started = _time.GetTimestamp();
        var capsLock = await LockedAsync() ? Find(Keysym.CapsLock) : (Stroke?)null;
        var batch = new XBatch();
        Toggle(batch, capsLock);
        for (var i = 0; i < keysyms.Count; i++)
        {
            if (!IsThere(keysyms[i]))
            {
                // What was typed so far must be on its way before keys change their meaning.
                await _device.SendAsync(batch);
                batch = new XBatch();
                await BorrowAsync(Ahead(keysyms, i), cancellationToken);
            }

            Strike(batch, Find(keysyms[i]));
            if (pace > TimeSpan.Zero && i + 1 < keysyms.Count)
            {
                await _device.SendAsync(batch);
                batch = new XBatch();
                await WaitUntilAsync(started, pace * (i + 1), cancellationToken);
            }
        }

        Toggle(batch, capsLock);
        await _device.SendAsync(batch);
    }

    /// <summary>Takes our symbols off the spare keys.</summary>
    public async Task ReturnBorrowedAsync()
    {
        if (_spares.InUse)
        {
            var batch = new XBatch();
            _spares.Clear(batch);
            await _device.SendAsync(batch);
        }
    }

    private void OnEvent(XPacket packet)
    {
        _stale |= packet.Code == XCore.MappingNotify;
    }

    private async Task RefreshAsync()
    {
        if (_stale)
        {
            _stale = false;
            _keymap = await Keymap.QueryAsync(_device.Display, _spares.Borrowed);
            _spares.Reconcile(_keymap);
        }
    }

    private bool IsThere(uint keysym) => _keymap!.TryFind(keysym, out _) || _spares.TryFind(keysym, out _);

    private Stroke Find(uint keysym) =>
        _keymap!.TryFind(keysym, out var stroke) || _spares.TryFind(keysym, out stroke)
            ? stroke
            : throw new InvalidOperationException($"keysym {keysym:x} is on no key");

    /// <summary>The symbols that are about to be typed, as many as fit on the spare keys.</summary>
    private HashSet<uint> Ahead(IReadOnlyList<uint> keysyms, int from)
    {
        var soon = new HashSet<uint>();
        for (var i = from; i < keysyms.Count && soon.Count < _spares.Capacity; i++)
        {
            if (!_keymap!.TryFind(keysyms[i], out _))
            {
                soon.Add(keysyms[i]);
            }
        }

        return soon;
    }

    /// <summary>Puts as many of the symbols as there is room for on spare keys, at least the first that is missing.</summary>
    private async Task BorrowAsync(HashSet<uint> soon, CancellationToken cancellationToken)
    {
        var missing = soon.Where(k => !IsThere(k)).ToList();
        while (missing.Count > 0)
        {
            var (count, wait) = _spares.Room(missing.Count, soon);
            if (count > 0)
            {
                var batch = new XBatch();
                _spares.Place(missing.Take(count), soon, batch);
                    await _device.SendAsync(batch);
                return;
            }

            await Task.Delay(wait + TimeSpan.FromMilliseconds(1), _time, cancellationToken);
        }
    }

    private void Strike(XBatch batch, Stroke stroke)
    {
        foreach (var modifier in Modifiers(stroke))
        {
            _device.Key(batch, modifier, down: true);
        }

        _device.Key(batch, stroke.Keycode, down: true);
        _device.Key(batch, stroke.Keycode, down: false);
        foreach (var modifier in Modifiers(stroke).Reverse())
        {
            _device.Key(batch, modifier, down: false);
        }
    }

    private IEnumerable<byte> Modifiers(Stroke stroke)
    {
        if (stroke.Shift)
        {
            yield return Find(Keysym.ShiftLeft).Keycode;
        }

        if (stroke.Level3)
        {
            yield return Find(Keysym.Level3Shift).Keycode;
        }
    }

    private void Toggle(XBatch batch, Stroke? key)
    {
        if (key is { } stroke)
        {
            Strike(batch, stroke);
        }
    }

    /// <summary>Whether caps lock is on, which would turn letters around.</summary>
    private async Task<bool> LockedAsync()
    {
        var pointer = await _device.Display.Connection.AskAsync(new XBatch().Begin(XCore.QueryPointer).U32(_device.Display.Root).End());
        return (pointer.U16(24) & 2) != 0;
    }

    private async Task WaitUntilAsync(long started, TimeSpan due, CancellationToken cancellationToken)
    {
        var left = due - _time.GetElapsedTime(started);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, _time, cancellationToken);
        }
    }
}
