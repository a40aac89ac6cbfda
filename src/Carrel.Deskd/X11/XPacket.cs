using System.Buffers.Binary;

namespace Carrel.Deskd.X11;

/// <summary>A reply or event as the server sent it: 32 bytes and, for a reply, what follows them.</summary>
internal readonly struct XPacket(byte[] bytes)
{
    public ReadOnlySpan<byte> Span => bytes;

    public ReadOnlyMemory<byte> Memory => bytes;

    /// <summary>The event's code without the bit that says another client sent it.</summary>
    public byte Code => (byte)(bytes[0] & 0x7f);

    public byte U8(int offset) => bytes[offset];

    public ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    public short I16(int offset) => BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(offset));

    public uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));
}
