namespace Carrel.Contracts.Deskd;

/// <summary>
/// What the host and deskd agree on beyond the in-computer API of reference section 6.2. Connections over the host-made
/// socket are the host's and need no token; connections over TCP (port 8080 inside) carry the computer's token.
/// </summary>
public static class DeskdProtocol
{
    /// <summary>File descriptor of the listening unix socket for deskd, inherited through init and s6.</summary>
    public const int DeskdListenFd = 3;

    /// <summary>File descriptor of the listening unix socket for Xvnc.</summary>
    public const int VncListenFd = 4;

    /// <summary>TCP port of the in-computer API, inside.</summary>
    public const int TcpPort = 8080;

    /// <summary>Tells the machine who it is. <c>PUT</c>, host only.</summary>
    public const string IdentityPath = "/identity";

    /// <summary>Answers <see cref="ReadyReport"/> once identity is taken and the desktop is painted. <c>GET</c>, blocks until then.</summary>
    public const string ReadyPath = "/ready";

    /// <summary>Puts the body onto the desktop under the query's <c>name</c>. <c>PUT</c>, host only; answers <c>{"path": ...}</c>.</summary>
    public const string DesktopFilePath = "/files/desktop";

    /// <summary>
    /// Media type of an action's answer together with its picture: 4 bytes big-endian length of the JSON, the JSON (the
    /// action's plain answer plus <c>settle</c> and <c>screenshot</c> metadata), then the picture's bytes to the end.
    /// Sent when the request's <c>Accept</c> names it; otherwise the picture is base64 inside the JSON.
    /// </summary>
    public const string ActAndSeeMediaType = "application/vnd.carrel.act";

    /// <summary>
    /// Upgrade to a stream of a port or a screen inside, host only. After the 101, each direction is a sequence of records: 2
    /// bytes big-endian length, then that many bytes; length 0 ends that direction alone. A connection that ends without it was cut off.
    /// </summary>
    public const string TunnelProtocol = "carrel-tunnel";

    /// <summary>The TCP stream to <paramref name="port"/> of the loopback interface inside. <c>GET</c> with an upgrade.</summary>
    public static string PortPath(int port) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/ports/{port}/stream");

    /// <summary>RFB of a screen that was added. <c>GET</c> with an upgrade.</summary>
    public static string ScreenVncPath(string screen) => $"/screens/{Uri.EscapeDataString(screen)}/vnc";

    public const string WidthHeader = "X-Carrel-Width";
    public const string HeightHeader = "X-Carrel-Height";
}

/// <summary>Who a machine is. Given after launch or restore; may be given again.</summary>
/// <param name="Token">Bearer token of the in-computer API.</param>
/// <param name="VncPassword">RFB password; VNC authentication uses its first 8 characters.</param>
/// <param name="HostName">Host name (already set by the isolation at a cold launch).</param>
/// <param name="MachineId">32 hex digits for <c>/etc/machine-id</c>.</param>
/// <param name="Width">Width of the first screen, pixels.</param>
/// <param name="Height">Height of the first screen, pixels.</param>
public sealed record Identity(string Token, string VncPassword, string HostName, string MachineId, int Width, int Height);

/// <summary>When each part of the desktop was there, in milliseconds since the machine's first process started.</summary>
public sealed record ReadyReport(bool Ready, double DeskdMs, double DisplayMs, double WindowManagerMs, double PanelMs, double PaintedMs);
