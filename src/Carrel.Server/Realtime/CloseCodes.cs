using System.Net.WebSockets;

namespace Carrel.Server.Realtime;

/// <summary>Why a socket is closed (reference section 7).</summary>
internal static class CloseCodes
{
    public const WebSocketCloseStatus Normal = WebSocketCloseStatus.NormalClosure;

    /// <summary>The server shuts down or the computer stops.</summary>
    public const WebSocketCloseStatus GoingAway = WebSocketCloseStatus.EndpointUnavailable;

    /// <summary>The client asked for something that cannot be.</summary>
    public const WebSocketCloseStatus BadRequest = WebSocketCloseStatus.PolicyViolation;

    /// <summary>A message longer than <see cref="MessageRelay.MaxMessageBytes"/>.</summary>
    public const WebSocketCloseStatus MessageTooBig = WebSocketCloseStatus.MessageTooBig;

    /// <summary>The computer has as many sockets as it may have.</summary>
    public const WebSocketCloseStatus TryAgainLater = (WebSocketCloseStatus)1013;

    /// <summary>No token, or one that does not open this computer.</summary>
    public const WebSocketCloseStatus BadToken = (WebSocketCloseStatus)4401;

    /// <summary>No such computer, or it does not run.</summary>
    public const WebSocketCloseStatus NoComputer = (WebSocketCloseStatus)4404;

    /// <summary>The service inside the computer failed.</summary>
    public const WebSocketCloseStatus BackendFailed = (WebSocketCloseStatus)4500;
}
