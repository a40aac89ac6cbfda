using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Waking;

namespace Carrel.Server.Ports;

internal static class PortRoutes
{
    private const int LongestPath = 2000;
    private const int ShortestLife = 60;
    private const int LongestLife = 7 * 24 * 3600;

    public static void MapPorts(this IEndpointRouteBuilder routes, IEndpointRouteBuilder api)
    {
        routes.MapGet("/desktops/{id}/ports/{port}", (Delegate)ForwardAsync)
            .WithName("forwardPort").WithTags("Ports")
            .WithSummary("A port inside, by HTTP or WebSocket: every method and every path below this one is forwarded.")
            .WithMetadata(QueryParameters.OfSockets)
            .Produces(200, contentType: "application/octet-stream").Produces(101).Fails(400, 401, 403, 404, 409, 502, 503, 504);
        routes.Map("/desktops/{id}/ports/{port}/{**rest}", (Delegate)ForwardAsync).ExcludeFromDescription();
        api.MapPost("/computers/{id}/ports/{port}/link", LinkAsync)
            .NeedsKey().WithName("createPortLink").WithTags("Ports")
            .WithSummary("A link that opens a port inside in a browser, without a login, until it expires or the computer restarts.")
            .Accepts<PortLinkRequest>("application/json").Produces<PortLinkAnswer>(201).Fails(400, 404, 409, 415);
    }

    private static Task<IResult> ForwardAsync(HttpContext context, string id, string port, PortForwarder forwarder)
    {
        // The part of the path that names the port, as the client wrote it.
        var path = context.Request.Path.Value!;
        var prefix = string.Join('/', path.Split('/').Take(5));
        return path.Length > prefix.Length
            ? forwarder.RunAsync(context, id, port, prefix)
            : Task.FromResult(Results.Redirect($"{context.Request.PathBase}{prefix}/{context.Request.QueryString}", permanent: false, preserveMethod: true));
    }

    private static async Task<IResult> LinkAsync(
        HttpContext context, string id, string port, ComputerLookup lookup, MachineAccess machines, PortAddresses addresses, PortClaims claims)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var number = PortAddresses.ReadPort(port);
        if (!number.Succeeded)
        {
            return number.Failure.AsProblem();
        }

        if (!Forwarder.IsJson(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Results.Empty;
        }

        var body = await JsonFields.ReadAsync(context.Request);
        if (!body.Succeeded)
        {
            return body.Failure.AsProblem();
        }

        var life = body.Value.Whole(ShortestLife, LongestLife, "expires_in") is { } seconds ? TimeSpan.FromSeconds(seconds) : PortClaims.Lifetime;
        var path = body.Value.Text(LongestPath, "path") ?? "/";
        if (!path.StartsWith('/') || path.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0 || path.Contains('#', StringComparison.Ordinal))
        {
            body.Value.Refuse("path", "must begin with / and be written as it stands in an address, without a fragment");
        }

        if (body.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var entered = await machines.EnterAsync(context, computer!);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var record = computer!.State.Record;
        var (claim, expires) = claims.Issue(record, number.Value, life);
        var (url, own) = addresses.For(context.Request, record.InstanceId, number.Value);
        var link = $"{url}{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{PortClaims.Parameter}={claim}";
        return Results.Json(new PortLinkAnswer(link, number.Value, expires, own), ApiJson.Default.PortLinkAnswer, statusCode: 201);
    }
}
