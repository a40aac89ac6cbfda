using System.Buffers.Binary;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Input;

/// <summary>A key and what must be held for it.</summary>
internal readonly record struct Stroke(byte Keycode, bool Shift, bool Level3);

/// <summary>Which key types what, as the server has it: an immutable picture of its core keyboard mapping.</summary>
internal sealed class Keymap
{
    private readonly Dictionary<uint, Stroke> _strokes = [];

    private readonly Dictionary<byte, (uint Plain, uint Shifted)> _spare = [];

    /// <summary>Keycodes that nothing of the layout is on, with what we put there.</summary>
    public IReadOnlyDictionary<byte, (uint Plain, uint Shifted)> Spare => _spare;

    /// <param name="borrowed">Keycodes that carry symbols of ours, which are not the layout's.</param>
    public static async Task<Keymap> QueryAsync(XDisplay display, IReadOnlySet<byte> borrowed)
    {
        var (first, last) = (display.Connection.Setup.MinKeycode, display.Connection.Setup.MaxKeycode);
        var reply = await display.Connection.AskAsync(
            new XBatch().Begin(XCore.GetKeyboardMapping).U8(first).U8((byte)(last - first + 1)).U16(0).End());
        return Parse(reply, first, last, borrowed);
    }

    public bool TryFind(uint keysym, out Stroke stroke) => _strokes.TryGetValue(keysym, out stroke);

    private static Keymap Parse(XPacket reply, byte first, byte last, IReadOnlySet<byte> borrowed)
    {
        var perKeycode = reply.U8(1);
        var map = new Keymap();
        for (int keycode = first; keycode <= last; keycode++)
        {
            var row = reply.Span.Slice(32 + ((keycode - first) * perKeycode * 4), perKeycode * 4);
            if (borrowed.Contains((byte)keycode) || row.IndexOfAnyExcept((byte)0) < 0)
            {
                map._spare[(byte)keycode] = (Symbol(row, 0), perKeycode > 1 ? Symbol(row, 1) : 0);
                continue;
            }

            // Columns 0 and 1 are the first group's plain and shifted symbol, 4 and 5 the same with level 3 (AltGr) held.
            foreach (var column in (ReadOnlySpan<int>)[0, 1, 4, 5])
            {
                if (column < perKeycode)
                {
                    map.Offer(Symbol(row, column), keycode, column);
                }
            }
        }

        return map;
    }

    private static uint Symbol(ReadOnlySpan<byte> row, int column) => BinaryPrimitives.ReadUInt32LittleEndian(row[(column * 4)..]);

    /// <summary>Of several keys with one symbol, the least modified on the main block wins.</summary>
    private void Offer(uint keysym, int keycode, int column)
    {
        var stroke = new Stroke((byte)keycode, (column & 1) != 0, column >= 4);
        if (keysym != 0 && (!_strokes.TryGetValue(keysym, out var other) || Cost(stroke) < Cost(other)))
        {
            _strokes[keysym] = stroke;
        }
    }

    /// <summary>Keys from 92 on are the extra ones of international and media keyboards, which some programs ignore.</summary>
    private static int Cost(Stroke stroke) =>
        (stroke.Level3 ? 4 : 0) + (stroke.Keycode >= 92 ? 2 : 0) + (stroke.Shift ? 1 : 0);
}
