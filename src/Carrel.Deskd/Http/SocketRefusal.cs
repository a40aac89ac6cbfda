using Carrel.Contracts;

namespace Carrel.Deskd.Http;

/// <summary>How a socket that cannot be served is ended: an error message that says why, then a close code.</summary>
internal static class SocketRefusal
{
    /// <summary>A parameter that is no good (RFC 6455: policy violation).</summary>
    public const int BadParameter = 1008;

    /// <summary>What the socket is for could not be started (reference section 7).</summary>
    public const int BackendFailed = 4500;

    /// <summary>The answer to a request that does not ask for a WebSocket.</summary>
    public static Reply NoWebSocket(Exchange exchange)
    {
        var refusal = Reply.Error(426, ErrorCodes.UpgradeRequired, $"{exchange.Path} is a WebSocket: connect with ws://");
        return new Reply(426, refusal.ContentType, refusal.Head) { Headers = [("Upgrade", "websocket")] };
    }

    /// <summary>Tells why, closes, and waits for the peer's answer to that.</summary>
    public static async Task RefuseAsync(this JsonSocket socket, int code, string message)
    {
        try
        {
            await socket.SendErrorAsync(message);
        }
        catch (Exception gone) when (JsonSocket.IsGone(gone))
        {
            return;
        }

        await socket.FinishAsync(code);
    }

    /// <summary>Closes, and waits for the peer's answer to that.</summary>
    public static async Task FinishAsync(this JsonSocket socket, int code)
    {
        await socket.CloseAsync(code, "");
        while (await socket.ReceiveAsync() is not null)
        {
            // Said before it heard.
        }
    }
}
