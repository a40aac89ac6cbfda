using Carrel.Contracts;
using Carrel.Server.State;

namespace Carrel.Server.Errors;

/// <summary>Gives every request its id and every failure its shape, also those the framework answers by itself.</summary>
internal sealed partial class ErrorPages(IIdFactory ids, ILogger<ErrorPages> log) : IMiddleware
{
    public const string RequestIdHeader = "X-Request-Id";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.TraceIdentifier = ids.NewId().ToString();
        context.Response.Headers[RequestIdHeader] = context.TraceIdentifier;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        Problem? problem;
        try
        {
            await next(context);
            problem = context.Response.HasStarted || context.Response.ContentType is not null ? null : ForStatus(context);
        }
        catch (BadHttpRequestException bad)
        {
            problem = ForBadRequest(bad);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // The client has gone; nobody reads an answer.
        }
#pragma warning disable CA1031 // The last resort: a bug must not cost the client the shape of the answer, and is logged whole.
        catch (Exception bug)
        {
            Unexpected(log, bug, context.Request.Method, context.Request.Path, context.TraceIdentifier);
            problem = new Failure(ErrorCodes.Internal, "The server failed in a way it did not expect.", "Its log says more under this request_id.").AsProblem();
        }
#pragma warning restore CA1031

        if (problem is null)
        {
            return;
        }

        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        await problem.ExecuteAsync(context);
    }

    private static Problem? ForStatus(HttpContext context)
    {
        var request = context.Request;
        return context.Response.StatusCode switch
        {
            404 => Problem.NotFound($"Nothing is served at {request.Method} {request.Path}."),
            405 => new Failure(
                ErrorCodes.MethodNotAllowed,
                $"{request.Method} is not allowed on {request.Path}.",
                context.Response.Headers.Allow.Count > 0 ? $"Allowed: {context.Response.Headers.Allow}." : null).AsProblem(),
            415 => new Failure(ErrorCodes.UnsupportedMediaType, $"The body's Content-Type {request.ContentType} is not understood.", "Send application/json.").AsProblem(),
            _ => null,
        };
    }

    private static Problem ForBadRequest(BadHttpRequestException bad) => bad.StatusCode switch
    {
        413 => new Failure(ErrorCodes.PayloadTooLarge, "The request's body is larger than this server takes.", "The limit is its setting max_body_bytes.").AsProblem(),
        408 => new Problem(new Failure(ErrorCodes.InvalidField, "The request's body came too slowly.")) { Status = 408 },
        _ => new Failure(ErrorCodes.InvalidJson, $"The request could not be read: {bad.Message}").AsProblem(),
    };

    [LoggerMessage(1000, LogLevel.Error, "{Method} {Path} failed unexpectedly (request {RequestId})")]
    private static partial void Unexpected(ILogger log, Exception bug, string method, string path, string requestId);
}
