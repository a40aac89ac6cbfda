using System.Buffers;
using System.Net.WebSockets;

namespace Carrel.Server.Realtime;

/// <summary>
/// Carries messages between a client's WebSocket and one inside a computer, both ways, a piece at a time: whoever reads slowly
/// slows the other down, and no message is ever held whole.
/// </summary>
internal static class MessageRelay
{
    /// <summary>Longest message a client may send, in bytes.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    private const int BufferBytes = 32 * 1024;

    /// <summary>Runs until one side closes or <paramref name="cancellationToken"/> fires. The client's socket is left open for its close code.</summary>
    public static async Task<SocketEnd> RunAsync(WebSocket client, WebSocket service, CancellationToken cancellationToken)
    {
        // The client's socket itself is never cancelled: that would abort it in the middle of a frame, without a close code.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inward = InwardAsync(client, service, over.Token);
        var outward = OutwardAsync(service, client, over.Token);
        var first = await await Task.WhenAny(inward, outward);
        await over.CancelAsync();
        await outward;
        service.Abort();
        if (cancellationToken.IsCancellationRequested)
        {
            return new SocketEnd(RelayEnd.Cancelled, inward);
        }

        var (status, why) = first == RelayEnd.ServiceClosed ? Told(service) : (null, "");
        return new SocketEnd(first, inward, status, why);
    }

    // A guest chooses among the codes that mean something here; anything else is a failure of its own.
    private static (WebSocketCloseStatus? Status, string Why) Told(WebSocket service) => service.CloseStatus switch
    {
        CloseCodes.Normal or CloseCodes.BadRequest or CloseCodes.MessageTooBig or CloseCodes.TryAgainLater or CloseCodes.BackendFailed
            => (service.CloseStatus, service.CloseStatusDescription ?? ""),
        _ => (CloseCodes.BackendFailed, "the service inside the computer closed the connection"),
    };

    private static async Task<RelayEnd> InwardAsync(WebSocket client, WebSocket service, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long length = 0; ;)
            {
                var read = await client.ReceiveAsync(buffer.AsMemory(0, BufferBytes), CancellationToken.None);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    await service.CloseOutputAsync(CloseCodes.Normal, "", cancellationToken);
                    return RelayEnd.ClientClosed;
                }

                length += read.Count;
                if (length > MaxMessageBytes)
                {
                    return RelayEnd.MessageTooBig;
                }

                await service.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, cancellationToken);
                length = read.EndOfMessage ? 0 : length;
            }
        }
        catch (Exception gone) when (IsGone(gone))
        {
            return client.State is WebSocketState.Open or WebSocketState.CloseReceived or WebSocketState.CloseSent ? RelayEnd.ServiceEnded : RelayEnd.ClientLost;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<RelayEnd> OutwardAsync(WebSocket service, WebSocket client, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var read = await service.ReceiveAsync(buffer.AsMemory(0, BufferBytes), cancellationToken);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    return RelayEnd.ServiceClosed;
                }

                await client.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, CancellationToken.None);
            }
        }
        catch (Exception gone) when (IsGone(gone))
        {
            return client.State is WebSocketState.Open or WebSocketState.CloseReceived ? RelayEnd.ServiceEnded : RelayEnd.ClientLost;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsGone(Exception thrown) => thrown is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;
}
