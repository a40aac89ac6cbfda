using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Waking;

namespace Carrel.Server.Actions;

/// <summary>
/// The in-computer API from outside (reference sections 6.1 and 25.3): under the computer's id with an API key or the
/// computer's secret, and at the root of the address with the secret alone, which names the computer.
/// </summary>
internal static class ProxyRoutes
{
    private static readonly string[] Readable = ["health", "status", "schema", "metrics", "screenshot"];

    public static void MapProxy(this IEndpointRouteBuilder routes)
    {
        foreach (var endpoint in Readable)
        {
            var read = (HttpContext context, Forwarder forwarder, Computer computer) => RelayAsync(context, computer, endpoint, forwarder);
            foreach (var mapped in Map(routes.MapGet, "/" + endpoint, read))
            {
                mapped.WithSummary($"The in-computer API's {endpoint}.")
                    .Produces(200, contentType: endpoint == "metrics" ? "text/plain" : "application/json").Fails(400, 401, 403, 404, 409, 502, 503, 504);
            }
        }

        foreach (var action in DeskAction.All)
        {
            var run = (HttpContext context, Forwarder forwarder, Computer computer) => forwarder.RunAsync(context, computer, action);
            foreach (var mapped in Map(routes.MapPost, action.Path, run))
            {
                mapped.Needs(action.Class).AuditedOnRequest().WithSummary(action.Summary).WithMetadata(QueryParameters.OfActions)
                    .Produces(200, action.Answer, "application/json").Fails(400, 401, 403, 404, 409, 413, 415, 424, 502, 503, 504);
                if (action.Request is not null)
                {
                    mapped.Accepts(action.Request, "application/json");
                }
            }
        }
    }

    private static IEnumerable<RouteHandlerBuilder> Map(
        Func<string, Delegate, RouteHandlerBuilder> map, string path, Func<HttpContext, Forwarder, Computer, Task<IResult>> run) =>
        Map(map, path, path[1..], run);

    /// <summary>Maps one endpoint of the in-computer API at both of its places.</summary>
    /// <param name="name">Part of the operations' ids.</param>
    public static IEnumerable<RouteHandlerBuilder> Map(
        Func<string, Delegate, RouteHandlerBuilder> map, string path, string name, Func<HttpContext, Forwarder, Computer, Task<IResult>> run)
    {
        yield return map(path, (HttpContext context, ComputerRegistry registry, Forwarder forwarder) =>
            {
                var (computer, problem) = FindBySecret(context, registry);
                return problem is null ? run(context, forwarder, computer!) : Task.FromResult<IResult>(problem);
            })
            .WithName("desktop_" + name).WithTags("Desktop").WithMetadata(QueryParameters.OfSockets);
        yield return map(
                "/api/desktops/{id}/proxy" + path,
                (HttpContext context, string id, ComputerRegistry registry, ComputerLookup lookup, Authentication authentication, Forwarder forwarder) =>
                {
                    var (computer, problem) = Find(context, id, registry, lookup, authentication);
                    return problem is null ? run(context, forwarder, computer!) : Task.FromResult<IResult>(problem);
                })
            .WithName("proxy_" + name).WithTags("Desktop").WithMetadata(QueryParameters.OfSockets);
    }

    private static async Task<IResult> RelayAsync(HttpContext context, Computer computer, string endpoint, Forwarder forwarder)
    {
        var query = PictureQuery.Read(context.Request);
        if (!query.Succeeded)
        {
            return query.Failure.AsProblem();
        }

        // Whoever asks how it is wants to know, not to change it.
        var entered = endpoint == "screenshot" ? await forwarder.EnterForPictureAsync(context, computer) : MachineAccess.EnterRunning(context, computer);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        using var request = new HttpRequestMessage(HttpMethod.Get, DeskdLink.At("/" + endpoint, query.Value.ForDesktop));
        return await forwarder.ExchangeAsync(context, session, request, ActionRoutes.ScreenshotAllowance, readOnly: true, async (response, aborted) =>
        {
            var read = await CappedBody.ReadAsync(response.Content, CappedBody.MostPicture, aborted);
            if (!read.Succeeded)
            {
                return read.Failure.AsProblem();
            }

            using var bytes = read.Value;

            // A guest does not choose what a browser takes its answer for.
            await Forwarder.RelayAsync(context, bytes.Bytes, endpoint == "metrics" ? "text/plain; charset=utf-8" : "application/json");
            return Results.Empty;
        });
    }

    public static (Computer? Computer, Problem? Problem) FindBySecret(HttpContext context, ComputerRegistry registry)
    {
        if (Secret(context.Request) is { } secret && registry.FindBySecret(secret) is { } computer)
        {
            return (computer, null);
        }

        return (null, new Failure(
            ErrorCodes.InvalidKey, "Missing or invalid computer token.", "Send a running computer's desktop_api_token as a Bearer token.").AsProblem());
    }

    public static (Computer? Computer, Problem? Problem) Find(
        HttpContext context, string id, ComputerRegistry registry, ComputerLookup lookup, Authentication authentication)
    {
        if (Secret(context.Request) is { } secret && registry.Find(id) is { } own && ComputerRegistry.Opens(own, secret))
        {
            return (own, null);
        }

        var caller = authentication.Find(context);
        if (!caller.Succeeded)
        {
            return (null, caller.Failure.AsProblem());
        }

        context.Features.Set(caller.Value);
        return lookup.Find(context, id);
    }

    private static string? Secret(HttpRequest request) =>
        Authentication.BearerOf(request) ?? (request.Query["token"].ToString() is { Length: > 0 } token ? token : null);
}
