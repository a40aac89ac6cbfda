using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Machines;
using Carrel.Server.Ports;

namespace Carrel.Server.Realtime;

/// <summary>RFB over a WebSocket (reference section 7.1).</summary>
internal sealed partial class VncSocket(SocketHost host, TimeProvider clock, ILogger<VncSocket> log)
{
    private const string SubProtocol = "binary";

    /// <summary>How long the VNC server may take to let us in for somebody who may only look.</summary>
    private static readonly TimeSpan GreetingAllowance = TimeSpan.FromSeconds(15);

    public Task<IResult> RunAsync(HttpContext context, string? id) => host.RunAsync(context, id, "VNC", SubProtocol, ServeAsync);

    private async Task<SocketEnd> ServeAsync(SocketCall call)
    {
        Stream vnc;
        try
        {
            if (call.Context.Request.Query["screen"].ToString() is { Length: > 0 } screen and not "default")
            {
                var opened = await call.Session.Deskd.UpgradeAsync(
                    DeskdProtocol.ScreenVncPath(screen), "", DeskdProtocol.TunnelProtocol, call.Going);
                if (!opened.Succeeded)
                {
                    var missing = opened.Failure.Code == ErrorCodes.NotFound;
                    return new SocketEnd(
                        RelayEnd.ServiceEnded, Task.CompletedTask, missing ? CloseCodes.NoComputer : CloseCodes.BackendFailed, missing ? "no such screen" : "the screen does not answer");
                }

                vnc = new TunnelStream(opened.Value);
            }
            else
            {
                vnc = await call.Session.Machine.ConnectAsync(MachineService.Vnc, call.Going);
            }
        }
        catch (Exception refused) when (refused is IOException or System.Net.Sockets.SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Unreachable(log, call.Computer.State.Record.InstanceId, refused.Message);
            return new SocketEnd(RelayEnd.ServiceEnded, Task.CompletedTask);
        }

        await using (vnc)
        {
            if (!call.ViewOnly)
            {
                var (end, reading) = await Relay.RunAsync(call.Socket, vnc, call.Going);
                return new SocketEnd(end, reading);
            }

            return await ServeViewerAsync(call, vnc);
        }
    }

    private async Task<SocketEnd> ServeViewerAsync(SocketCall call, Stream vnc)
    {
        try
        {
            using var timeout = new CancellationTokenSource(GreetingAllowance, clock);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, call.Going);
            await using var viewed = await ViewOnlyRfb.OpenAsync(vnc, call.Computer.State.Record.Secrets.VncPassword, patience.Token);
            var (end, reading) = await Relay.RunAsync(call.Socket, viewed, call.Going);
            return new SocketEnd(end, reading);
        }
        catch (Exception refused) when (refused is IOException or OperationCanceledException)
        {
            Unreachable(log, call.Computer.State.Record.InstanceId, refused.Message);
            return new SocketEnd(RelayEnd.ServiceEnded, Task.CompletedTask);
        }
    }

    [LoggerMessage(1302, LogLevel.Warning, "Computer {Instance}: VNC cannot be reached: {Why}")]
    private static partial void Unreachable(ILogger log, string instance, string why);
}
