using System.Net.WebSockets;
using Carrel.Contracts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Waking;

namespace Carrel.Server.Realtime;

/// <summary>One open socket of a client who may use the computer.</summary>
/// <param name="ViewOnly">The client may look, and touch nothing.</param>
/// <param name="Going">Fires when the computer stops or the server shuts down.</param>
internal sealed record SocketCall(HttpContext Context, WebSocket Socket, Computer Computer, MachineSession Session, bool ViewOnly, CancellationToken Going);

/// <summary>How serving a socket ended.</summary>
/// <param name="Reading">The reading from the client, which ends with the client's close.</param>
/// <param name="Status">The close code, where <paramref name="By"/> does not tell.</param>
internal readonly record struct SocketEnd(RelayEnd By, Task Reading, WebSocketCloseStatus? Status = null, string Why = "");

/// <summary>
/// What all sockets have in common (reference section 7): the upgrade is always accepted and a refusal is a close code after
/// it, because a browser shows its page nothing of a refused upgrade; whatever happens, the client is told by a close code;
/// and a peer that has gone holds nothing for long.
/// </summary>
internal sealed partial class SocketHost(
    SocketAccess access, MachineAccess machines, Settings settings, IHostApplicationLifetime application, TimeProvider clock, ILogger<SocketHost> log)
{
    /// <summary>How long a peer may take to read what is under way and to answer a close.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(3);

    /// <param name="id">Null where the secret itself names the computer.</param>
    /// <param name="kind">What the socket is, for log and close reasons.</param>
    /// <param name="subProtocol">Agreed to where the client offers it.</param>
    public async Task<IResult> RunAsync(HttpContext context, string? id, string kind, string? subProtocol, Func<SocketCall, Task<SocketEnd>> serve)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            return new Failure(ErrorCodes.UpgradeRequired, $"{context.Request.Path} is a WebSocket.", "Connect to it with ws:// or wss://.").AsProblem();
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = subProtocol is not null && context.WebSockets.WebSocketRequestedProtocols.Contains(subProtocol) ? subProtocol : null,
            KeepAliveInterval = settings.SocketKeepAlive,
            KeepAliveTimeout = settings.SocketKeepAlive,
        });
        var (computer, viewOnly, refusal, reason) = access.Find(context, id);
        if (computer is null)
        {
            await CloseAsync(socket, refusal, reason, Task.CompletedTask);
            return Results.Empty;
        }

        var entered = await machines.EnterAsync(context, computer, mayWake: !viewOnly);
        if (!entered.Succeeded)
        {
            var (code, why) = entered.Failure.Code == ErrorCodes.WakeFailed
                ? (CloseCodes.BackendFailed, "the computer could not be started")
                : (CloseCodes.NoComputer, $"the computer is {computer.State.Status.Wire()}");
            await CloseAsync(socket, code, why, Task.CompletedTask);
            return Results.Empty;
        }

        var session = entered.Value;

        using var place = session.TakeSocket(settings.MaxSockets);
        if (place is null)
        {
            await CloseAsync(socket, CloseCodes.TryAgainLater, $"the computer has {settings.MaxSockets} sockets open", Task.CompletedTask);
            return Results.Empty;
        }

        await ServeAsync(context, socket, computer, session, viewOnly, kind, serve);
        return Results.Empty;
    }

    private async Task ServeAsync(
        HttpContext context, WebSocket socket, Computer computer, MachineSession session, bool viewOnly, string kind, Func<SocketCall, Task<SocketEnd>> serve)
    {
        var instance = computer.State.Record.InstanceId;
        using var going = CancellationTokenSource.CreateLinkedTokenSource(session.Ended, application.ApplicationStopping);
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        await using var hurry = going.Token.Register(() => patience.CancelAfter(CloseGrace));
        await using var abort = patience.Token.Register(socket.Abort);
        Opened(log, instance, kind);
        var end = await serve(new SocketCall(context, socket, computer, session, viewOnly, going.Token));
        var (status, why) = Ending(end, computer, session, kind, going.Token);
        patience.CancelAfter(CloseGrace);
        await CloseAsync(socket, status, why, end.Reading);
        Closed(log, instance, kind, (int)status);
    }

    private static (WebSocketCloseStatus Status, string Why) Ending(
        SocketEnd end, Computer computer, MachineSession session, string kind, CancellationToken going)
    {
        if (going.IsCancellationRequested)
        {
            return (CloseCodes.GoingAway, session.Ended.IsCancellationRequested ? "the computer is stopping" : "the server is shutting down");
        }

        return end switch
        {
            { Status: { } status } => (status, end.Why),
            { By: RelayEnd.ServiceEnded } when session.Machine.Completion.IsCompleted || computer.State.Session != session
                => (CloseCodes.GoingAway, "the computer has ended"),
            { By: RelayEnd.ServiceEnded } => (CloseCodes.BackendFailed, $"the computer's {kind} service closed the connection"),
            { By: RelayEnd.MessageTooBig } => (CloseCodes.MessageTooBig, $"a message holds at most {MessageRelay.MaxMessageBytes} bytes"),
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

    [LoggerMessage(1300, LogLevel.Debug, "Computer {Instance}: {Kind} socket opened")]
    private static partial void Opened(ILogger log, string instance, string kind);

    [LoggerMessage(1301, LogLevel.Debug, "Computer {Instance}: {Kind} socket closed with {Code}")]
    private static partial void Closed(ILogger log, string instance, string kind, int code);
}
