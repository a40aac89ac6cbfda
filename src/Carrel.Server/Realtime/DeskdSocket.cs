using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Extensions;

namespace Carrel.Server.Realtime;

/// <summary>A WebSocket that deskd serves inside, brought out: terminal, audio, events (reference sections 7.2 to 7.4).</summary>
internal sealed partial class DeskdSocket(SocketHost host, ILogger<DeskdSocket> log)
{
    public Task<IResult> RunAsync(HttpContext context, string? id, string name) =>
        host.RunAsync(context, id, name, null, call => ServeAsync(call, name));

    private async Task<SocketEnd> ServeAsync(SocketCall call, string name)
    {
        var opened = await ConnectAsync(call, name);
        if (opened is null)
        {
            return new SocketEnd(RelayEnd.ServiceEnded, Task.CompletedTask);
        }

        using (opened)
        {
            return await MessageRelay.RunAsync(call.Socket, opened, call.Going);
        }
    }

    private async Task<WebSocket?> ConnectAsync(SocketCall call, string name)
    {
        try
        {
            var opened = await call.Session.Deskd.ConnectSocketAsync("/" + name, QueryOf(call.Context.Request), call.Going);
            if (opened.Succeeded)
            {
                return opened.Value;
            }

            Unreachable(log, call.Computer.State.Record.InstanceId, name, opened.Failure.Message);
        }
        catch (OperationCanceledException)
        {
            // The computer stops or the server shuts down: the host of the socket says so.
        }

        return null;
    }

    // deskd gets what the client asked for, but no secret.
    private static string QueryOf(HttpRequest request)
    {
        var query = new QueryBuilder(request.Query.Where(pair => pair.Key != "token"));
        return query.ToQueryString().ToString();
    }

    [LoggerMessage(1303, LogLevel.Warning, "Computer {Instance}: the {Name} socket cannot be opened: {Why}")]
    private static partial void Unreachable(ILogger log, string instance, string name, string why);
}
