using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Carrel.Contracts.Deskd;

namespace Carrel.Deskd.Tests.World;

/// <summary>The host's end of a tunnel, byte by byte, so that deskd's is not checked by code of its own kind.</summary>
internal sealed class HostTunnel : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly NetworkStream _stream;

    private HostTunnel(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _stream = new NetworkStream(_socket);
    }

    public NetworkStream Raw => _stream;

    /// <summary>Asks for the upgrade; returns the answer's head, and the tunnel behind it.</summary>
    public static async Task<(HostTunnel Tunnel, string Head)> OpenAsync(Desk desk, string path)
    {
        var tunnel = new HostTunnel(desk.SocketPath);
        await tunnel._stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: deskd\r\nConnection: Upgrade\r\nUpgrade: {DeskdProtocol.TunnelProtocol}\r\n\r\n"));
        var head = new List<byte>();
        var one = new byte[1];
        while (!head[Math.Max(0, head.Count - 4)..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            await tunnel._stream.ReadExactlyAsync(one);
            head.Add(one[0]);
        }

        return (tunnel, Encoding.ASCII.GetString([.. head]));
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> record)
    {
        var head = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)record.Length);
        await _stream.WriteAsync(head);
        await _stream.WriteAsync(record);
    }

    /// <summary>Ends this direction.</summary>
    public Task EndAsync() => WriteAsync(default);

    /// <summary>The next record; empty at the end of the direction, null where the connection was cut off.</summary>
    public async Task<byte[]?> ReadAsync()
    {
        try
        {
            var head = new byte[2];
            await _stream.ReadExactlyAsync(head);
            var record = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
            await _stream.ReadExactlyAsync(record);
            return record;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>All records up to the end of the direction.</summary>
    public async Task<byte[]?> ReadToEndAsync()
    {
        using var all = new MemoryStream();
        while (await ReadAsync() is { } record)
        {
            if (record.Length == 0)
            {
                return all.ToArray();
            }

            all.Write(record);
        }

        return null;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }
}
