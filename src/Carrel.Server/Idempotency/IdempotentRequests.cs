using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Server.Idempotency;

/// <summary>
/// Answers a request that is repeated with its <c>Idempotency-Key</c> as it was answered the first time, whatever became of that
/// answer. (1) The key is written down with a hash of the request. (2) The request is served to its end, whether or not its client
/// still waits, and its answer kept before it is sent. (3) A repetition waits while the first is under way. (4) After a crash of the
/// server between the two, what was made is looked up by its id; where it is not there, it never was, and the request is served anew.
/// An answer that invites a repetition (5xx, Retry-After) is not kept.
/// </summary>
internal sealed class IdempotentRequests(IdempotencyStore store) : IMiddleware
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    private const int LongestKey = 255;

    private readonly Dictionary<(string Caller, string Key), Task> _underWay = [];

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Idempotent>() is not { } endpoint || context.Request.Headers[Header] is not { Count: > 0 } sent)
        {
            await next(context);
            return;
        }

        if (sent is not [{ Length: > 0 and <= LongestKey } key])
        {
            await new Failure(ErrorCodes.InvalidField, $"The header {Header} must be there once and have 1 to {LongestKey} characters.").AsProblem().ExecuteAsync(context);
            return;
        }

        var by = context.Caller();
        var claim = new IdempotentClaim(store, $"{by.AccountId}/{by.KeyId}", key, await HashAsync(context.Request));
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (Begin(claim, mine.Task) is { } other)
        {
            await other.WaitAsync(context.RequestAborted);
        }

        try
        {
            await ServeAsync(context, next, endpoint, claim);
        }
        finally
        {
            lock (_underWay)
            {
                _underWay.Remove((claim.Caller, claim.Key));
            }

            mine.SetResult();
        }
    }

    /// <returns>Who is at it already, or null.</returns>
    private Task? Begin(IdempotentClaim claim, Task mine)
    {
        lock (_underWay)
        {
            if (_underWay.TryGetValue((claim.Caller, claim.Key), out var other))
            {
                return other;
            }

            _underWay[(claim.Caller, claim.Key)] = mine;
            return null;
        }
    }

    private async Task ServeAsync(HttpContext context, RequestDelegate next, Idempotent endpoint, IdempotentClaim claim)
    {
        var known = await store.ClaimAsync(claim.Caller, claim.Key, claim.Request);
        if (known is not null && known.Request != claim.Request)
        {
            await new Failure(
                ErrorCodes.IdempotencyKeyReused, $"This {Header} was used for another request within the last day.", "Use a new key for each new request.")
                .AsProblem().ExecuteAsync(context);
            return;
        }

        if (known?.Answer is { } answer)
        {
            await ReplayAsync(context, answer);
            return;
        }

        if (known?.Made is { } id && endpoint.Remake is { } remake && await remake(context, id) is { } result)
        {
            context.Response.Headers[ReplayedHeader] = "true";
            await CaptureAsync(context, result.ExecuteAsync, claim);
            return;
        }

        context.Features.Set(claim);
        await CaptureAsync(context, served => next(served), claim);
    }

    private static async Task ReplayAsync(HttpContext context, KeptAnswer answer)
    {
        var response = context.Response;
        response.Headers[ReplayedHeader] = "true";
        response.StatusCode = answer.Status;
        if (answer.Location is not null)
        {
            response.Headers.Location = answer.Location;
        }

        if (answer.ContentType is not null)
        {
            response.ContentType = answer.ContentType;
            response.ContentLength = answer.Body.Length;
            await response.Body.WriteAsync(answer.Body, context.RequestAborted);
        }
    }

    private async Task CaptureAsync(HttpContext context, RequestDelegate serve, IdempotentClaim claim)
    {
        var (body, client) = (context.Response.Body, context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
        using var buffer = new MemoryStream();
        var isKept = false;
        try
        {
            context.Response.Body = buffer;
            context.Features.Set<IHttpRequestLifetimeFeature>(new ToTheEnd(client));
            await serve(context);
            await context.Response.BodyWriter.FlushAsync(CancellationToken.None);
            isKept = await KeepAsync(context.Response, buffer, client.RequestAborted.IsCancellationRequested, claim);
        }
        finally
        {
            context.Response.Body = body;
            context.Features.Set(client);
            if (!isKept)
            {
                await store.ForgetAsync(claim.Caller, claim.Key);
            }
        }

        buffer.Position = 0;
        await buffer.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private async Task<bool> KeepAsync(HttpResponse response, MemoryStream body, bool isClientGone, IdempotentClaim claim)
    {
        // A refusal to a client that went away in the middle of its request says nothing about the request.
        if (response.StatusCode >= 500 || response.Headers.RetryAfter.Count > 0 || (isClientGone && response.StatusCode >= 400))
        {
            return false;
        }

        var location = response.Headers.Location is { Count: 1 } there ? there.ToString() : null;
        await store.KeepAsync(claim.Caller, claim.Key, new KeptAnswer(response.StatusCode, response.ContentType, location, body.ToArray()));
        return true;
    }

    /// <summary>
    /// Method, address and body. A multipart body, which may be long and whose boundaries differ from try to try, counts by its length alone.
    /// </summary>
    private static async Task<string> HashAsync(HttpRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method}\n{request.Path}\n{request.QueryString}\n"));
        if (request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(request.ContentLength?.ToString(CultureInfo.InvariantCulture) ?? ""));
        }
        else
        {
            var body = new MemoryStream(); // Its array is all it holds; the request's end takes it.
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
            hash.AppendData(body.GetBuffer(), 0, (int)body.Length);
            body.Position = 0;
            request.Body = body;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>For the served request its client never goes away.</summary>
    private sealed class ToTheEnd(IHttpRequestLifetimeFeature client) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = CancellationToken.None;

        public void Abort() => client.Abort();
    }
}
