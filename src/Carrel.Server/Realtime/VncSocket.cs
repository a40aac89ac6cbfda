using System.Net.WebSockets;
using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;

namespace Carrel.Server.Realtime;

/// <summary>
/// RFB over a WebSocket (reference section 7.1). The upgrade is always accepted and a refusal is a close code after it,
/// because a browser shows its page nothing of a refused upgrade.
/// </summary>
internal sealed partial class VncSocket(
    SocketAccess access, Settings settings, IHostApplicationLifetime application, TimeProvider clock, ILogger<VncSocket> log)
{
    private const string SubProtocol = "binary";

    /// <summary>How long a peer may take to read what is under way and to answer a close.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(3);

    public async Task<IResult> RunAsync(HttpContext context, string? id)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            return new Failure(ErrorCodes.UpgradeRequired, $"{context.Request.Path} is a WebSocket.", "Connect to it with ws:// or wss://.").AsProblem();
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = context.WebSockets.WebSocketRequestedProtocols.Contains(SubProtocol) ? SubProtocol : null,
            KeepAliveInterval = settings.SocketKeepAlive,
            KeepAliveTimeout = settings.SocketKeepAlive,
        });
        var (computer, refusal, reason) = access.Find(context, id);
        if (computer?.State.Usable is not { } session)
        {
            await CloseAsync(socket, refusal == default ? CloseCodes.NoComputer : refusal, reason, Task.CompletedTask);
            return Results.Empty;
        }

        await ServeAsync(socket, computer, session);
        return Results.Empty;
    }

    private async Task ServeAsync(WebSocket socket, Computer computer, MachineSession session)
    {
        using var going = CancellationTokenSource.CreateLinkedTokenSource(session.Ended, application.ApplicationStopping);
        Stream vnc;
        try
        {
            vnc = await session.Machine.ConnectAsync(MachineService.Vnc, going.Token);
        }
        catch (Exception refused) when (refused is IOException or System.Net.Sockets.SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Unreachable(log, computer.State.Record.InstanceId, refused.Message);
            var (status, why) = Ending(RelayEnd.ServiceEnded, computer, session, going.Token);
            await CloseAsync(socket, status, why, Task.CompletedTask);
            return;
        }

        await using (vnc)
        {
            Opened(log, computer.State.Record.InstanceId);
            using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
            await using var hurry = going.Token.Register(() => patience.CancelAfter(CloseGrace));
            await using var abort = patience.Token.Register(socket.Abort);
            var (end, reading) = await Relay.RunAsync(socket, vnc, going.Token);
            var (status, why) = Ending(end, computer, session, going.Token);
            patience.CancelAfter(CloseGrace);
            await CloseAsync(socket, status, why, reading);
            Closed(log, computer.State.Record.InstanceId, (int)status);
        }
    }

    private static (WebSocketCloseStatus Status, string Why) Ending(
        RelayEnd end, Computer computer, MachineSession session, CancellationToken going)
    {
        if (going.IsCancellationRequested)
        {
            return (CloseCodes.GoingAway, session.Ended.IsCancellationRequested ? "the computer is stopping" : "the server is shutting down");
        }

        return end switch
        {
            RelayEnd.ServiceEnded when session.Machine.Completion.IsCompleted || computer.State.Session != session
                => (CloseCodes.GoingAway, "the computer has ended"),
            RelayEnd.ServiceEnded => (CloseCodes.BackendFailed, "the computer's VNC server closed the connection"),
            _ => (CloseCodes.Normal, ""),
        };
    }

    private async Task CloseAsync(WebSocket socket, WebSocketCloseStatus status, string why, Task reading)
    {
        using var patience = new CancellationTokenSource(CloseGrace, clock);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(status, why, patience.Token);
            }

            // The client's own close ends its reading; one that sends none is not waited for.
            await reading.WaitAsync(patience.Token);
            if (socket.State == WebSocketState.CloseSent)
            {
                await socket.CloseAsync(status, why, patience.Token);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            socket.Abort();
        }
    }

    [LoggerMessage(1300, LogLevel.Debug, "Computer {Instance}: VNC socket opened")]
    private static partial void Opened(ILogger log, string instance);

    [LoggerMessage(1301, LogLevel.Debug, "Computer {Instance}: VNC socket closed with {Code}")]
    private static partial void Closed(ILogger log, string instance, int code);

    [LoggerMessage(1302, LogLevel.Warning, "Computer {Instance}: VNC cannot be reached: {Why}")]
    private static partial void Unreachable(ILogger log, string instance, string why);
}

internal static class RealtimeRoutes
{
    public static void MapRealtime(this IEndpointRouteBuilder routes)
    {
        Map("/desktops/{id}/ws/websockify", "vncSocket");
        Map("/desktops/{id}/websockify", "vncSocketShort");
        routes.MapGet("/websockify", (HttpContext context, VncSocket socket) => socket.RunAsync(context, null))
            .WithName("vncSocketByToken").WithTags("Realtime").WithSummary("RFB over a WebSocket; the token names the computer.")
            .WithMetadata(Actions.QueryParameters.OfSockets).Produces(101).Fails(426);

        void Map(string pattern, string name) => routes.MapGet(pattern, (HttpContext context, string id, VncSocket socket) => socket.RunAsync(context, id))
            .WithName(name).WithTags("Realtime").WithSummary("RFB over a WebSocket. Closes with 4401, 4404, 4500 or 1001.")
            .WithMetadata(Actions.QueryParameters.OfSockets).Produces(101).Fails(426);
    }
}
