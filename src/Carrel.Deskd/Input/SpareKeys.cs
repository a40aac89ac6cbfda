using Carrel.Deskd.X11;

namespace Carrel.Deskd.Input;

/// <summary>
/// Puts symbols that the layout lacks on keys that nothing is on.
/// <para>
/// A program looks a key up in the mapping as it is when the program handles the event, not as it was when the key went
/// down. So a key may only get another symbol once every program has handled its last use; nothing tells when that is,
/// and <see cref="Digestion"/> is the allowance. With two symbols on each of some eighteen keys, used in turn, typing at
/// the default pace never waits for it. Symbols stay until the keyboard has been quiet for a while, because programs
/// reload their whole keymap at each change, and so that the last characters are not lost.
/// </para>
/// </summary>
internal sealed class SpareKeys(TimeProvider time)
{
    public static readonly TimeSpan Digestion = TimeSpan.FromMilliseconds(300);

    private readonly Dictionary<uint, Slot> _bySymbol = [];
    private Slot[] _slots = [];

    public int Capacity => _slots.Length;

    public bool InUse => _bySymbol.Count > 0;

    /// <summary>The keycodes that carry symbols of ours.</summary>
    public IReadOnlySet<byte> Borrowed => _bySymbol.Values.Select(s => s.Stroke.Keycode).ToHashSet();

    /// <summary>Takes up what the server says is on the spare keys; a change of layout may have swept ours away.</summary>
    public void Reconcile(Keymap keymap)
    {
        var before = _slots;
        _bySymbol.Clear();
        _slots = [.. keymap.Spare.OrderBy(s => s.Key).SelectMany(s => new[]
        {
            Keep(new Slot(s.Key, false) { Symbol = s.Value.Plain }, before),
            Keep(new Slot(s.Key, true) { Symbol = s.Value.Shifted }, before),
        })];
        foreach (var slot in _slots.Where(s => s.Symbol != 0))
        {
            _bySymbol[slot.Symbol] = slot;
        }
    }

    public bool TryFind(uint keysym, out Stroke stroke)
    {
        var found = _bySymbol.TryGetValue(keysym, out var slot);
        stroke = found ? slot!.Stroke : default;
        if (found)
        {
            slot!.LastUse = time.GetTimestamp();
        }

        return found;
    }

    /// <summary>
    /// How many of <paramref name="keysyms"/> (distinct, none placed yet) may be placed now, or how long to wait until the
    /// first may. <paramref name="soon"/> are symbols in use that must stay.
    /// </summary>
    public (int Count, TimeSpan Wait) Room(int wanted, IReadOnlySet<uint> soon)
    {
        var now = time.GetTimestamp();
        var candidates = _slots.Where(s => s.Symbol == 0 || !soon.Contains(s.Symbol)).ToList();
        var free = candidates.Count(s => s.IsFree(time, now));
        return free > 0 || candidates.Count == 0
            ? (Math.Min(wanted, free), TimeSpan.Zero)
            : (0, Digestion - candidates.Max(s => time.GetElapsedTime(s.LastUse, now)));
    }

    /// <summary>Places symbols, longest unused slots first, and writes the requests that tell the server.</summary>
    public void Place(IEnumerable<uint> keysyms, IReadOnlySet<uint> soon, XBatch batch)
    {
        var now = time.GetTimestamp();
        var free = new Queue<Slot>(_slots
            .Where(s => (s.Symbol == 0 || !soon.Contains(s.Symbol)) && s.IsFree(time, now))
            .OrderBy(s => s.Symbol == 0 ? 0 : s.LastUse));
        var changed = new SortedSet<byte>();
        foreach (var keysym in keysyms)
        {
            var slot = free.Dequeue();
            _bySymbol.Remove(slot.Symbol);
            slot.Symbol = keysym;
            _bySymbol[keysym] = slot;
            changed.Add(slot.Stroke.Keycode);
        }

        foreach (var keycode in changed)
        {
            Write(batch, keycode);
        }
    }

    /// <summary>Writes the requests that leave nothing on any of the keys.</summary>
    public void Clear(XBatch batch)
    {
        var used = _slots.Where(s => s.Symbol != 0).Select(s => s.Stroke.Keycode).Distinct().ToList();
        Array.ForEach(_slots, s => s.Symbol = 0);
        _bySymbol.Clear();
        used.ForEach(keycode => Write(batch, keycode));
    }

    private static Slot Keep(Slot slot, Slot[] before)
    {
        slot.LastUse = Array.Find(before, b => b.Stroke == slot.Stroke)?.LastUse ?? 0;
        return slot;
    }

    private void Write(XBatch batch, byte keycode)
    {
        var pair = Array.FindAll(_slots, s => s.Stroke.Keycode == keycode);
        batch.Begin(XCore.ChangeKeyboardMapping, 1).U8(keycode).U8(2).U16(0)
            .U32(pair[0].Symbol).U32(pair[1].Symbol).End();
    }

    private sealed class Slot(byte keycode, bool shift)
    {
        public Stroke Stroke { get; } = new(keycode, shift, Level3: false);

        public uint Symbol { get; set; }

        public long LastUse { get; set; }

        public bool IsFree(TimeProvider time, long now) => Symbol == 0 || time.GetElapsedTime(LastUse, now) >= Digestion;
    }
}
