using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Ports;

/// <summary>Connects the host to something that listens inside.</summary>
internal static class TunnelEndpoint
{
    /// <summary>Connecting on the loopback interface takes no time, unless a full backlog drops us.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static IEnumerable<Route> Routes =>
    [
        new Route("GET", "/ports/{port}/stream", "A TCP port of the loopback interface, as a stream.", PortAsync, Access.Host),
    ];

    public static async Task<Reply> ServeAsync(Exchange exchange, EndPoint inside, string refused)
    {
        if (!exchange.Wants(DeskdProtocol.TunnelProtocol))
        {
            return Reply.Error(426, ErrorCodes.UpgradeRequired, $"{exchange.Path} is a stream; ask for an upgrade to {DeskdProtocol.TunnelProtocol}");
        }

        using var socket = inside is IPEndPoint
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted);
        limit.CancelAfter(Patience);
        try
        {
            await socket.ConnectAsync(inside, limit.Token);
        }
        catch (Exception failed) when (failed is SocketException || (failed is OperationCanceledException && !exchange.Aborted.IsCancellationRequested))
        {
            return Reply.Error(409, ErrorCodes.PortClosed, refused);
        }

        var host = await exchange.UpgradeAsync(DeskdProtocol.TunnelProtocol);
        if (!await Tunnel.RunAsync(host, socket, exchange.Aborted))
        {
            // What was cut off inside must not look to the host as if it had ended.
            exchange.Abort();
        }

        return Reply.Taken;
    }

    private static Task<Reply> PortAsync(Exchange exchange) =>
        int.TryParse(exchange.PathValues["port"], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= ushort.MaxValue
            ? ServeAsync(exchange, new IPEndPoint(IPAddress.Loopback, port), $"nothing listens on port {port} inside the computer")
            : Task.FromResult(Reply.Error(400, ErrorCodes.InvalidField, "a port is a number from 1 to 65535", "port"));
}
