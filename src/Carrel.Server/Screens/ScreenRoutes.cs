using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;

namespace Carrel.Server.Screens;

/// <summary>A computer's screens: listed, added and deleted inside, by deskd.</summary>
internal static class ScreenRoutes
{
    private const string Path = "/screens";
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(30 + DeskAction.Margin);

    public static void MapScreens(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers/{id}/screens").WithTags("Screens").NeedsKey();
        group.MapGet("", (HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder) =>
                SendAsync(context, id, lookup, forwarder, HttpMethod.Get, Path))
            .WithName("listScreens").WithSummary("The screens of a running computer.").Produces<ScreenList>().Fails(404, 409, 502, 503, 504);
        group.MapPost("", (HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder) =>
                SendAsync(context, id, lookup, forwarder, HttpMethod.Post, Path))
            .WithName("addScreen").WithSummary("Adds a screen, up to four in all. It is gone after a restart.")
            .Accepts<ScreenRequest>("application/json").Produces<ScreenAnswer>(201).Fails(400, 404, 409, 413, 415, 424, 503)
            .Idempotent();
        group.MapDelete("/{screen}", (HttpContext context, string id, string screen, ComputerLookup lookup, Forwarder forwarder) =>
                SendAsync(context, id, lookup, forwarder, HttpMethod.Delete, $"{Path}/{Uri.EscapeDataString(screen)}"))
            .WithName("deleteScreen").WithSummary("Ends a screen that was added, with all that runs on it.")
            .Produces<SuccessAnswer>().Fails(400, 404, 409, 424, 503);
    }

    private static async Task<IResult> SendAsync(
        HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder, HttpMethod method, string path)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var adds = method == HttpMethod.Post;
        if (adds && !Forwarder.IsJson(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Results.Empty;
        }

        var entered = await forwarder.EnterAsync(context, computer!);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        using var request = new HttpRequestMessage(method, DeskdLink.At(path));
        if (adds)
        {
            request.Content = new ActionBody(await Forwarder.ReadBodyAsync(context.Request));
        }

        var readOnly = method == HttpMethod.Get;
        return await forwarder.ExchangeAsync(context, session, request, Allowance, readOnly, async (response, aborted) =>
        {
            var answer = await CappedBody.ReadAsync(response.Content, CappedBody.MostJson, aborted);
            if (!answer.Succeeded)
            {
                return Forwarder.Lost(answer.Failure, readOnly);
            }

            using var bytes = answer.Value;
            if (!Forwarder.IsWellFormed(bytes.Bytes.Span))
            {
                return Forwarder.Lost(new Contracts.Failure(Contracts.ErrorCodes.DesktopFailed, "The desktop answered with something that is no JSON."), readOnly);
            }

            context.Response.StatusCode = adds ? StatusCodes.Status201Created : StatusCodes.Status200OK;
            await Forwarder.RelayAsync(context, bytes.Bytes, "application/json");
            return Results.Empty;
        });
    }
}
