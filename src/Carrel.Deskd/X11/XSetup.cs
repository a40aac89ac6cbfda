using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Carrel.Deskd.X11;

/// <summary>What the server says of itself when a client connects.</summary>
internal sealed record XSetup(
    uint ResourceBase, uint ResourceMask, byte MinKeycode, byte MaxKeycode,
    uint Root, int Width, int Height, byte Depth)
{
    /// <summary>Greets the server on a fresh socket. There is no authorisation: the server admits its own user by socket credentials.</summary>
    public static XSetup Exchange(Socket socket)
    {
        ReadOnlySpan<byte> hello = [(byte)'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        socket.Send(hello);
        Span<byte> head = stackalloc byte[8];
        ReadFully(socket, head);
        var body = new byte[BinaryPrimitives.ReadUInt16LittleEndian(head[6..]) * 4];
        ReadFully(socket, body);
        return head[0] == 1
            ? Parse(body)
            : throw new XDisconnectedException($"the X server refused us: {Encoding.ASCII.GetString(body).TrimEnd('\0', '\n', ' ')}");
    }

    public static void ReadFully(Socket socket, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var received = socket.Receive(buffer);
            if (received == 0)
            {
                throw new XDisconnectedException("the X server closed the connection");
            }

            buffer = buffer[received..];
        }
    }

    private static XSetup Parse(ReadOnlySpan<byte> b)
    {
        var vendor = BinaryPrimitives.ReadUInt16LittleEndian(b[16..]);
        var formats = b[21];
        var screen = b[(32 + ((vendor + 3) & ~3) + (formats * 8))..];
        return new XSetup(
            ResourceBase: BinaryPrimitives.ReadUInt32LittleEndian(b[4..]),
            ResourceMask: BinaryPrimitives.ReadUInt32LittleEndian(b[8..]),
            MinKeycode: b[26],
            MaxKeycode: b[27],
            Root: BinaryPrimitives.ReadUInt32LittleEndian(screen),
            Width: BinaryPrimitives.ReadUInt16LittleEndian(screen[20..]),
            Height: BinaryPrimitives.ReadUInt16LittleEndian(screen[22..]),
            Depth: screen[38]);
    }
}
