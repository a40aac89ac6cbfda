using System.Buffers.Binary;

namespace Carrel.Deskd.X11;

/// <summary>
/// X11 requests being written, little-endian, to be sent in one go. Not thread-safe; one batch belongs to one caller.
/// Layouts: https://www.x.org/releases/X11R7.7/doc/xproto/x11protocol.html (Appendix B).
/// </summary>
internal sealed class XBatch
{
    private byte[] _bytes = new byte[256];
    private int _length;
    private int _start;

    /// <summary>How many requests were written.</summary>
    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    /// <summary>Starts a request; <paramref name="data"/> is its second byte (an extension's minor opcode).</summary>
    public XBatch Begin(byte opcode, byte data = 0)
    {
        _start = _length;
        Count++;
        return U8(opcode).U8(data).U16(0);
    }

    /// <summary>Ends the request: pads it to 4 bytes and fills in its length.</summary>
    public XBatch End()
    {
        while ((_length & 3) != 0)
        {
            U8(0);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(_start + 2), checked((ushort)((_length - _start) / 4)));
        return this;
    }

    public XBatch U8(byte value)
    {
        Reserve(1)[0] = value;
        return this;
    }

    public XBatch U16(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(Reserve(2), unchecked((ushort)value));
        return this;
    }

    public XBatch U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);
        return this;
    }

    public XBatch Zeros(int count)
    {
        Reserve(count).Clear();
        return this;
    }

    public XBatch Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        return this;
    }

    private Span<byte> Reserve(int count)
    {
        if (_length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }

        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }
}
