using Carrel.Contracts.Api;
using Carrel.Contracts.Clipboard;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Audit;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Clipboard;

/// <summary>Reads and sets a computer's clipboard, under the computer and through the proxy of its own API.</summary>
internal static class ClipboardRoutes
{
    private const string Path = "/clipboard";
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(15 + DeskAction.Margin);
    private static readonly RequestSizeLimitAttribute BodyLimit = new(ClipboardLimits.AnswerBytes);

    public static void MapClipboard(this IEndpointRouteBuilder routes, IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers/{id}").WithTags("Actions").NeedsKey();
        DescribeGet(group.MapGet(Path, (HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder) =>
            Of(lookup.Find(context, id), computer => GetAsync(context, forwarder, computer))).WithName("getClipboard"));
        DescribePut(group.MapPut(Path, (HttpContext context, string id, ComputerLookup lookup, Forwarder forwarder) =>
            Of(lookup.Find(context, id), computer => PutAsync(context, forwarder, computer))).WithName("setClipboard"));
        foreach (var mapped in ProxyRoutes.Map(routes.MapGet, Path, "get_clipboard", GetAsync))
        {
            DescribeGet(mapped).Fails(401, 403);
        }

        foreach (var mapped in ProxyRoutes.Map(routes.MapPut, Path, "set_clipboard", PutAsync))
        {
            DescribePut(mapped).Fails(401, 403);
        }
    }

    private static Task<IResult> Of((Computer? Computer, Problem? Problem) found, Func<Computer, Task<IResult>> run) =>
        found.Problem is null ? run(found.Computer!) : Task.FromResult<IResult>(found.Problem);

    private static RouteHandlerBuilder DescribeGet(RouteHandlerBuilder route) => route
        .WithSummary("What is on the clipboard.").Produces<ClipboardAnswer>().Fails(404, 409, 502, 503, 504);

    private static RouteHandlerBuilder DescribePut(RouteHandlerBuilder route) => route
        .AuditedOnRequest().WithSummary("Puts text on the clipboard.").WithMetadata(BodyLimit)
        .Accepts<ClipboardRequest>("application/json").Produces<SuccessAnswer>().Fails(400, 404, 409, 413, 415, 502, 503, 504);

    private static async Task<IResult> GetAsync(HttpContext context, Forwarder forwarder, Computer computer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, DeskdLink.At(Path));
        return await SendAsync(context, forwarder, computer, request);
    }

    private static async Task<IResult> PutAsync(HttpContext context, Forwarder forwarder, Computer computer)
    {
        if (!Forwarder.IsJson(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Results.Empty;
        }

        var body = await Forwarder.ReadBodyAsync(context.Request);
        using var request = new HttpRequestMessage(HttpMethod.Put, DeskdLink.At(Path)) { Content = new ActionBody(body) };
        return await SendAsync(context, forwarder, computer, request);
    }

    private static async Task<IResult> SendAsync(HttpContext context, Forwarder forwarder, Computer computer, HttpRequestMessage request)
    {
        var entered = await forwarder.EnterAsync(context, computer);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;

        // Putting the same text twice does no harm, so a lost answer may be a 5xx.
        return await forwarder.ExchangeAsync(context, session, request, Allowance, readOnly: true, async (response, aborted) =>
        {
            var read = await CappedBody.ReadAsync(response.Content, ClipboardLimits.AnswerBytes, aborted);
            if (!read.Succeeded)
            {
                return read.Failure.AsProblem();
            }

            using var answer = read.Value;
            if (!Forwarder.IsWellFormed(answer.Bytes.Span))
            {
                return Forwarder.NoJson.AsProblem();
            }

            await Forwarder.RelayAsync(context, answer.Bytes, "application/json");
            return Results.Empty;
        });
    }
}
