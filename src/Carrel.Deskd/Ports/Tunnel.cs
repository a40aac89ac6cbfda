using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Carrel.Contracts.Deskd;

namespace Carrel.Deskd.Ports;

/// <summary>
/// Carries bytes between the host, in the records of <see cref="DeskdProtocol.TunnelProtocol"/>, and a socket inside: each
/// direction ends for itself, and whoever reads slowly slows the other down, since a buffer is sent before the next is read.
/// </summary>
internal static class Tunnel
{
    private const int BufferBytes = 32 * 1024;
    private const int HeadBytes = 2;

    /// <summary>Runs until both directions have ended, or one was cut off.</summary>
    /// <returns>Whether both ended in order; otherwise the host is to be cut off too.</returns>
    public static async Task<bool> RunAsync(Stream host, Socket inside, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inward = InwardAsync(host, inside, over.Token);
        var outward = OutwardAsync(inside, host, over.Token);
        var orderly = await await Task.WhenAny(inward, outward);
        if (!orderly)
        {
            await over.CancelAsync();
        }

        return await inward & await outward;
    }

    private static async Task<bool> InwardAsync(Stream host, Socket inside, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var (filled, left) = (0, 0);
            while (true)
            {
                var read = await host.ReadAsync(buffer.AsMemory(filled), cancellationToken);
                if (read == 0)
                {
                    return false;
                }

                filled += read;
                var at = 0;
                while (at < filled)
                {
                    if (left > 0)
                    {
                        var piece = Math.Min(left, filled - at);
                        await SendAsync(inside, buffer.AsMemory(at, piece), cancellationToken);
                        (at, left) = (at + piece, left - piece);
                    }
                    else if (filled - at < HeadBytes)
                    {
                        break;
                    }
                    else if ((left = BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(at))) == 0)
                    {
                        inside.Shutdown(SocketShutdown.Send);
                        return true;
                    }
                    else
                    {
                        at += HeadBytes;
                    }
                }

                buffer.AsSpan(at, filled - at).CopyTo(buffer);
                filled -= at;
            }
        }
        catch (Exception cut) when (cut is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<bool> OutwardAsync(Socket inside, Stream host, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var read = await inside.ReceiveAsync(buffer.AsMemory(HeadBytes), SocketFlags.None, cancellationToken);
                BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)read);
                await host.WriteAsync(buffer.AsMemory(0, HeadBytes + read), cancellationToken);
                if (read == 0)
                {
                    return true;
                }
            }
        }
        catch (Exception cut) when (cut is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
        }
    }
}
