namespace Carrel.Server.Ports;

/// <summary>Takes the requests that come to a port's own host name, before any of our routes can.</summary>
internal sealed class PortHosts(PortAddresses addresses, PortForwarder forwarder) : IMiddleware
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (addresses.OfHost(context.Request) is not var (id, port))
        {
            await next(context);
            return;
        }

        var result = await forwarder.RunAsync(context, id, port, "");
        await result.ExecuteAsync(context);
    }
}
