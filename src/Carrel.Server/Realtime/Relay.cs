using System.Buffers;
using System.Net.WebSockets;

namespace Carrel.Server.Realtime;

/// <summary>Carries bytes between a WebSocket and a stream, both ways, a buffer at a time: whoever reads slowly slows the other down.</summary>
internal static class Relay
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Runs until one side ends or <paramref name="cancellationToken"/> fires. The socket is left open for its close code.</summary>
    /// <returns>Which side ended first, and the reading from the socket, which ends with the client's close.</returns>
    public static async Task<(RelayEnd End, Task Reading)> RunAsync(WebSocket socket, Stream service, CancellationToken cancellationToken)
    {
        // The socket itself is never cancelled: that would abort it in the middle of a frame, without a close code.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inward = FromSocketAsync(socket, service, over.Token);
        var outward = FromServiceAsync(service, socket, over.Token);
        var first = await await Task.WhenAny(inward, outward);
        await over.CancelAsync();
        await outward;
        return (cancellationToken.IsCancellationRequested ? RelayEnd.Cancelled : first, inward);
    }

    private static async Task<RelayEnd> FromSocketAsync(WebSocket socket, Stream service, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    return RelayEnd.ClientClosed;
                }

                await service.WriteAsync(buffer.AsMemory(0, read.Count), cancellationToken);
            }
        }
        catch (WebSocketException)
        {
            return RelayEnd.ClientLost;
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return RelayEnd.ServiceEnded;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<RelayEnd> FromServiceAsync(Stream service, WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await service.ReadAsync(buffer.AsMemory(), cancellationToken)) > 0)
            {
                await socket.SendAsync(buffer.AsMemory(0, read), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            }

            return RelayEnd.ServiceEnded;
        }
        catch (WebSocketException)
        {
            return RelayEnd.ClientLost;
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return RelayEnd.ServiceEnded;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

internal enum RelayEnd
{
    ClientClosed,
    ClientLost,
    ServiceEnded,
    ServiceClosed,
    MessageTooBig,
    Cancelled,
}
