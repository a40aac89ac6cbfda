using Carrel.Contracts;
using Carrel.Deskd.X11;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Deskd.Http;

/// <summary>Takes requests from Kestrel: finds the route, checks who asks, and turns every end into an answer.</summary>
internal sealed class DeskdApplication(RouteTable routes, Identity.MachineIdentity identity, Metrics metrics)
    : IHttpApplication<Exchange>
{
    public Exchange CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures);

    public void DisposeContext(Exchange context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(Exchange context)
    {
        var reply = await AnswerAsync(context);
        metrics.Count(reply.Status);
        try
        {
            await context.SendAsync(reply);
        }
        catch (Exception e) when (reply.Body is not null && !context.Aborted.IsCancellationRequested)
        {
            // The status is out already; a connection that breaks off is how the client learns of it.
            Log.Write($"{context.Method} {context.Path}", e);
            context.Abort();
        }
    }

    private async Task<Reply> AnswerAsync(Exchange exchange)
    {
        var (route, refusal) = routes.Find(exchange);
        if (route?.Access != Access.Public && !exchange.FromHost && !identity.Admits(exchange))
        {
            return Reply.Error(401, ErrorCodes.InvalidKey, "this needs the computer's token, as Authorization: Bearer or ?token=");
        }

        if (route is null)
        {
            return refusal!;
        }

        if (!route.BeforeIdentity && !identity.IsTaken)
        {
            return Reply.Error(503, ErrorCodes.DesktopUnreachable, "the computer is starting");
        }

        try
        {
            return await route.Handle(exchange);
        }
        catch (XDisconnectedException)
        {
            return DisplayAway();
        }
        catch (OperationCanceledException) when (exchange.Aborted.IsCancellationRequested)
        {
            return new Reply(499, "text/plain", default);
        }
        catch (BadHttpRequestException e)
        {
            return Reply.Error(e.StatusCode, ErrorCodes.InvalidJson, e.Message);
        }
        catch (Exception e)
        {
            Log.Write($"{exchange.Method} {exchange.Path}", e);
            return Reply.Error(500, ErrorCodes.Internal, $"{route.Path} failed: {e.Message}");
        }
    }

    public static Reply DisplayAway() =>
        Reply.Error(503, ErrorCodes.DesktopUnreachable, "the computer's screen is not there at the moment");
}
