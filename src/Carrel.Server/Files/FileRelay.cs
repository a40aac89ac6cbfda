using System.Net.Http.Headers;
using Carrel.Contracts;
using Carrel.Contracts.Files;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Waking;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Carrel.Server.Files;

/// <summary>
/// <c>/fs/...</c> of a computer from outside. The path stays what it was: bytes that only deskd gives a meaning. Contents pass through
/// in pieces, either way, and a side that does not move ends the transfer.
/// </summary>
internal sealed class FileRelay(MachineAccess machines, StallClocks clocks)
{
    private const int PieceBytes = 256 * 1024;
    private const string ExportPath = "/files/export";
    private const int MostJson = 64 * 1024;

    /// <summary>For what moves no bytes here, such as deleting a tree.</summary>
    private static readonly TimeSpan WorkAllowance = TimeSpan.FromMinutes(15);

    private static readonly string[] Asked = ["Accept", "Range", "If-Range", "If-None-Match"];
    private static readonly string[] Told = ["ETag", "Last-Modified", "Accept-Ranges", "Content-Range", "X-Carrel-Type", "X-Carrel-Mode"];

    /// <param name="skip">How many segments of the request's path come before the computer's own.</param>
    public async Task<IResult> RunAsync(HttpContext context, Computer computer, int skip)
    {
        var path = GuestPath.FromTarget(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, skip);
        if (!path.Succeeded)
        {
            return path.Failure.AsProblem();
        }

        var entered = await machines.EnterAsync(context, computer);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        var method = context.Request.Method;
        var isContents = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        using var stall = isContents || HttpMethods.IsPut(method) ? clocks.Start() : clocks.Start(WorkAllowance);
        using var request = new HttpRequestMessage(new HttpMethod(method), TargetOf(path.Value, context.Request));
        RelayedBody? body = null;
        if (HttpMethods.IsPut(method))
        {
            Unlimit(context);
            request.Content = body = new RelayedBody(context.Request.BodyReader, context.Request.ContentLength, stall);
            request.Headers.ExpectContinue = true;
        }
        else if (HttpMethods.IsPost(method))
        {
            if (!Forwarder.IsJson(context.Request))
            {
                context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
                return Results.Empty;
            }

            request.Content = new ActionBody(await Forwarder.ReadBodyAsync(context.Request));
        }

        return await ExchangeAsync(context, session, request, body, stall, isContents ? path.Value.Name : null);
    }

    /// <summary>The in-computer API's <c>/files/export</c>.</summary>
    public async Task<IResult> ExportAsync(HttpContext context, Computer computer)
    {
        if (!Forwarder.IsJson(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Results.Empty;
        }

        var entered = await machines.EnterAsync(context, computer);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        using var stall = clocks.Start();
        using var request = new HttpRequestMessage(HttpMethod.Post, DeskdLink.At(ExportPath)) { Content = new ActionBody(await Forwarder.ReadBodyAsync(context.Request)) };
        return await ExchangeAsync(context, session, request, null, stall, "export");
    }

    /// <param name="contentsName">The name of what is answered with its contents; null where the answer is a short JSON.</param>
    private static async Task<IResult> ExchangeAsync(
        HttpContext context, MachineSession session, HttpRequestMessage request, RelayedBody? body, StallClock stall, string? contentsName)
    {
        foreach (var name in Asked)
        {
            if (context.Request.Headers[name] is { Count: > 0 } values)
            {
                request.Headers.TryAddWithoutValidation(name, (string?)values);
            }
        }

        // Writing a file twice does no harm: it is there whole, or not at all.
        var isRepeatable = contentsName is not null || request.Method == HttpMethod.Put;
        request.Headers.TryAddWithoutValidation(ErrorPages.RequestIdHeader, context.TraceIdentifier);
        var sent = await session.Deskd.SendAsync(request, isRepeatable, stall.Token, context.RequestAborted);
        if (!sent.Succeeded)
        {
            if (body is { SourceFailed: true })
            {
                context.Abort(); // The client broke off in the middle of its own request.
                return Results.Empty;
            }

            return sent.Failure.AsProblem();
        }

        using var response = sent.Value;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, context.RequestAborted);
        try
        {
            return await AnswerAsync(context, response, isRepeatable, stall, contentsName, either.Token);
        }
        catch (OperationCanceledException) when (stall.HasStalled && !context.Response.HasStarted)
        {
            return DeskdLink.TimedOut(request.RequestUri!.AbsolutePath, isRepeatable).AsProblem();
        }
        catch (Exception broken) when (broken is HttpRequestException or HttpIOException or IOException or OperationCanceledException)
        {
            if (!context.Response.HasStarted)
            {
                return DeskdLink.Broken(request.RequestUri!.AbsolutePath, isRepeatable).AsProblem();
            }

            context.Abort(); // How the client learns that what it has is not the whole.
            return Results.Empty;
        }
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context, HttpResponseMessage response, bool isRepeatable, StallClock stall, string? contentsName, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status is not (200 or 201 or 206 or 304))
        {
            Tell(context.Response, response);
            return await DeskAnswer.ProblemAsync(response, isRepeatable, cancellationToken);
        }

        var isJson = response.Content.Headers.ContentType?.MediaType == "application/json";
        if (contentsName is null)
        {
            return await SmallAsync(context, response, isRepeatable, cancellationToken);
        }

        context.Response.StatusCode = status;
        Tell(context.Response, response);
        if (isJson)
        {
            ContentTypes.Fence(context.Response);
            context.Response.ContentType = "application/json";
        }
        else
        {
            var isArchive = response.Content.Headers.ContentType?.MediaType == "application/x-tar" && response.Content.Headers.ContentLength is null;
            var name = isArchive ? (contentsName.Length > 0 ? contentsName : "root") + ".tar" : contentsName;
            ContentTypes.Fence(context.Response, name);
            context.Response.ContentType = isArchive ? "application/x-tar" : ContentTypes.Served(name);
        }

        if (status != 304)
        {
            context.Response.ContentLength = response.Content.Headers.ContentLength;
        }

        if (status != 304 && !HttpMethods.IsHead(context.Request.Method))
        {
            await CopyAsync(context, response, stall, cancellationToken);
        }

        return Results.Empty;
    }

    /// <summary>From the desktop's socket into the buffers that are sent to the client.</summary>
    private static async Task CopyAsync(HttpContext context, HttpResponseMessage response, StallClock stall, CancellationToken cancellationToken)
    {
        await using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
        await context.Response.StartAsync(cancellationToken);
        var writer = context.Response.BodyWriter;
        for (int read; (read = await source.ReadAsync(writer.GetMemory(PieceBytes), cancellationToken)) > 0;)
        {
            writer.Advance(read);
            stall.Moved();
            if ((await writer.FlushAsync(cancellationToken)).IsCompleted)
            {
                throw new OperationCanceledException(cancellationToken); // Nobody reads any longer.
            }

            stall.Moved();
        }
    }

    private static async Task<IResult> SmallAsync(HttpContext context, HttpResponseMessage response, bool isRepeatable, CancellationToken cancellationToken)
    {
        var read = await CappedBody.ReadAsync(response.Content, MostJson, cancellationToken);
        if (!read.Succeeded)
        {
            return Forwarder.Lost(read.Failure, isRepeatable);
        }

        using var bytes = read.Value;
        if (!Forwarder.IsWellFormed(bytes.Bytes.Span))
        {
            return Forwarder.Lost(new Failure(ErrorCodes.DesktopFailed, "The desktop answered with something that is no JSON."), isRepeatable);
        }

        context.Response.StatusCode = (int)response.StatusCode;
        await Forwarder.RelayAsync(context, bytes.Bytes, "application/json");
        return Results.Empty;
    }

    /// <summary>A guest's word where it does no harm: printable, short, and of headers that mean nothing to a browser's safety.</summary>
    private static void Tell(HttpResponse to, HttpResponseMessage from)
    {
        foreach (var name in Told)
        {
            if ((Find(from.Headers, name) ?? Find(from.Content.Headers, name)) is { Length: < 200 } value && value.All(letter => letter is >= ' ' and <= '~'))
            {
                to.Headers[name] = value;
            }
        }
    }

    private static string? Find(HttpHeaders headers, string name) => headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    /// <summary>A body has no limit here but the computer's disk, and may pause as long as any transfer.</summary>
    private static void Unlimit(HttpContext context)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private static Uri TargetOf(GuestPath path, HttpRequest request)
    {
        var query = request.Query.Where(entry => !entry.Key.Equals("token", StringComparison.OrdinalIgnoreCase))
            .SelectMany(entry => entry.Value, (entry, value) => KeyValuePair.Create(entry.Key, value));

        // As it is: what Uri would make more beautiful is part of a file's name.
        return new Uri($"http://deskd{path.ToTarget("/fs")}{QueryHelpers.AddQueryString("", query)}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }
}
