using System.Buffers;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Waking;

namespace Carrel.Server.Actions;

/// <summary>
/// The hot path. An action: (1) the computer runs, or is started, (2) the body is taken as it came, (3) sent to deskd over the pooled
/// connection, (4) deskd's answer read up to its cap, (5) relayed as it came, or with its picture added. Nothing here reads
/// the database. An answer that is lost after step 3 began is never a 5xx, unless asking again does no harm.
/// </summary>
internal sealed class Forwarder(MachineAccess machines, PictureAnswers pictures, PublicAddress address, TimeProvider clock)
{
    public static readonly Failure NoJson = new(ErrorCodes.DesktopFailed, "The desktop answered with something that is no JSON.");

    public async Task<IResult> RunAsync(HttpContext context, Computer computer, DeskAction action)
    {
        if (!IsJson(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Results.Empty;
        }

        var query = PictureQuery.Read(context.Request);
        if (!query.Succeeded)
        {
            return query.Failure.AsProblem();
        }

        if (query.Value is { Delivery: PictureDelivery.Binary, After: true })
        {
            return new Failure(ErrorCodes.InvalidField, "The query parameter response_format must be url or base64 on an action.").AsProblem();
        }

        var entered = await machines.EnterAsync(context, computer);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        var body = await ReadBodyAsync(context.Request);
        using var request = new HttpRequestMessage(HttpMethod.Post, DeskdLink.At(action.Path, query.Value.ForDesktop)) { Content = new ActionBody(body) };
        if (query.Value.After)
        {
            request.Headers.TryAddWithoutValidation("Accept", $"{DeskdProtocol.ActAndSeeMediaType}, application/json");
        }

        var (notes, at) = computer.Notes is { } kept ? (kept, kept.Now) : (null, 0);
        var readOnly = action.ReadOnly;
        return await ExchangeAsync(context, session, request, action.Allowance(body, query.Value.Settles), readOnly, async (response, aborted) =>
        {
            notes?.Add(at, action, body);
            var seen = response.Content.Headers.ContentType?.MediaType == DeskdProtocol.ActAndSeeMediaType;
            var answer = await CappedBody.ReadAsync(response.Content, seen ? CappedBody.MostPicture : CappedBody.MostJson, aborted);
            if (!answer.Succeeded)
            {
                return Lost(answer.Failure, readOnly);
            }

            using var bytes = answer.Value;
            if (seen)
            {
                return await pictures.ActAndSeeAsync(context, computer, query.Value, bytes.Bytes, address.BaseOf(context.Request));
            }

            // A guest that took deskd's place, or died in the middle of its answer, must not look like a success.
            if (!IsWellFormed(bytes.Bytes.Span))
            {
                return Lost(NoJson, readOnly);
            }

            await RelayAsync(context, bytes.Bytes, "application/json");
            return Results.Empty;
        });
    }

    public ValueTask<Outcome<MachineSession>> EnterAsync(HttpContext context, Computer computer) => machines.EnterAsync(context, computer);

    public ValueTask<Outcome<MachineSession>> EnterForPictureAsync(HttpContext context, Computer computer) => UseTracking.IsPassive(context.Request)
        ? new(MachineAccess.EnterRunning(context, computer))
        : machines.EnterAsync(context, computer);

    /// <summary>Whether an answer is a JSON object and nothing else.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> answer)
    {
        try
        {
            var reader = new Utf8JsonReader(answer);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Sends, waits at most <paramref name="allowance"/> for the whole answer, and turns every way to fail into a problem.</summary>
    public async Task<IResult> ExchangeAsync(
        HttpContext context,
        MachineSession session,
        HttpRequestMessage request,
        TimeSpan allowance,
        bool readOnly,
        Func<HttpResponseMessage, CancellationToken, Task<IResult>> read)
    {
        var path = request.RequestUri!.AbsolutePath;
        request.Headers.TryAddWithoutValidation(ErrorPages.RequestIdHeader, context.TraceIdentifier);
        using var timeout = new CancellationTokenSource(allowance, clock);
        var sent = await session.Deskd.SendAsync(request, readOnly, timeout.Token, context.RequestAborted);
        if (!sent.Succeeded)
        {
            return sent.Failure.AsProblem();
        }

        using var response = sent.Value;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.RequestAborted);
        try
        {
            return response.IsSuccessStatusCode ? await read(response, either.Token) : await DeskAnswer.ProblemAsync(response, readOnly, either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return DeskdLink.TimedOut(path, readOnly).AsProblem();
        }
        catch (Exception broken) when (broken is HttpRequestException or HttpIOException or IOException && !context.RequestAborted.IsCancellationRequested)
        {
            return DeskdLink.Broken(path, readOnly).AsProblem();
        }
    }

    public static async Task RelayAsync(HttpContext context, ReadOnlyMemory<byte> bytes, string mediaType)
    {
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = bytes.Length;
        await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>No body, no type or JSON. Others are refused: a form is what another site could make a browser send.</summary>
    public static bool IsJson(HttpRequest request) =>
        request.ContentType is null || request.HasJsonContentType() || request.ContentLength is 0;

    /// <summary>
    /// The body, in an array of its own. It is not sent from Kestrel's buffers: a send that is given up may go on reading its
    /// memory for a moment, and those buffers would by then hold somebody else's request.
    /// </summary>
    public static async Task<byte[]> ReadBodyAsync(HttpRequest request)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(request.HttpContext.RequestAborted);
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public static Problem Lost(Failure failure, bool readOnly) =>
        readOnly ? failure.AsProblem() : (failure with { Code = ErrorCodes.OutcomeUnknown }).AsProblem();
}
