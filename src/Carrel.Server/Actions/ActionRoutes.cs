using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;

namespace Carrel.Server.Actions;

internal static class ActionRoutes
{
    public static readonly TimeSpan ScreenshotAllowance = TimeSpan.FromSeconds(15 + DeskAction.Margin);

    public static void MapActions(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers/{id}").WithTags("Actions").NeedsKey();
        foreach (var action in DeskAction.All)
        {
            foreach (var name in action.Names)
            {
                var endpoint = group.MapPost("/" + name, (HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder) =>
                    {
                        var (computer, problem) = lookup.Find(context, id);
                        return problem is null ? forwarder.RunAsync(context, computer!, action) : Task.FromResult<IResult>(problem);
                    })
                    .Needs(action.Class).AuditedOnRequest().WithName(name + "Action").WithSummary(action.Summary)
                    .WithMetadata(QueryParameters.OfActions)
                    .Produces(200, action.Answer, "application/json").Fails(400, 404, 409, 413, 415, 424, 503);
                if (action.ReadOnly)
                {
                    endpoint.Fails(502, 504);
                }

                if (action.Request is not null)
                {
                    endpoint.Accepts(action.Request, "application/json");
                }
            }
        }

        group.MapGet("/screenshot", ScreenshotAsync)
            .WithName("screenshot").WithSummary("A picture of the screen: stored behind a link, or inline.")
            .WithMetadata(QueryParameters.OfScreenshot)
            .Produces<ScreenshotAnswer>().Fails(400, 404, 409, 502, 503, 504);
    }

    private static async Task<IResult> ScreenshotAsync(
        HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder, PictureAnswers pictures, PublicAddress address)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var query = PictureQuery.Read(context.Request);
        if (!query.Succeeded)
        {
            return query.Failure.AsProblem();
        }

        var entered = await forwarder.EnterForPictureAsync(context, computer!);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        var forDesktop = query.Value.ForDesktop + (query.Value.ForDesktop.Length == 0 ? "?" : "&") + "response_format=binary";
        using var request = new HttpRequestMessage(HttpMethod.Get, DeskdLink.At("/screenshot", forDesktop));
        request.Headers.TryAddWithoutValidation("Accept", "image/*");
        return await forwarder.ExchangeAsync(context, session, request, ScreenshotAllowance, readOnly: true, async (response, aborted) =>
        {
            var read = await CappedBody.ReadAsync(response.Content, CappedBody.MostPicture, aborted);
            if (!read.Succeeded)
            {
                return read.Failure.AsProblem();
            }

            using var picture = read.Value;
            return await pictures.ScreenshotAsync(context, computer!, query.Value, picture.Bytes, address.BaseOf(context.Request));
        });
    }
}

/// <summary>Query parameters that are read by hand or by deskd, for the OpenAPI document.</summary>
internal sealed record QueryParameters(params (string Name, string Type, string Meaning)[] All)
{
    private static readonly (string, string, string)[] Picture =
    [
        ("response_format", "string", "How the picture is answered: url (default), base64, or binary on GET /screenshot."),
        ("format", "string", "png (default), jpeg or webp."),
        ("quality", "integer", "1-100, for jpeg and webp."),
        ("scale", "number", "Factor up to 1."),
        ("cursor", "boolean", "Whether the pointer is in the picture."),
        ("screen", "string", "Which screen: default, or one that was added."),
    ];

    public static readonly QueryParameters OfScreenshot = new([
        .. Picture, ("passive", "boolean", "true: the call is no use of the computer, which it neither starts nor keeps from its auto-stop.")]);

    public static readonly QueryParameters OfSockets = new([("token", "string", "The computer's password or token, or an API key that may use it.")]);

    public static readonly QueryParameters OfVnc = new([.. OfSockets.All, ("screen", "string", "Which screen: default, or one that was added.")]);

    public static readonly QueryParameters OfActions = new([
        ("screenshot", "string", "after: the answer carries the picture once the screen has come to rest."),
        ("settle", "boolean", "true: the answer waits until the screen has come to rest, and says whether it did."),
        ("settle_ms", "integer", "How long nothing may change to count as rest, in milliseconds; default 100."),
        ("settle_timeout_ms", "integer", "How long to wait for it at most, in milliseconds; default 2000."),
        .. Picture]);
}
