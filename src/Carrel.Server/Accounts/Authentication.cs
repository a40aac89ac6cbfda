using System.Globalization;
using Carrel.Contracts;
using Carrel.Server.Errors;

namespace Carrel.Server.Accounts;

/// <summary>Marks an endpoint that only a known key, or a browser session, may use.</summary>
internal sealed class NeedsKey
{
    public static readonly NeedsKey Instance = new();
}

/// <summary>Finds out who calls, before any endpoint that needs to know; holds them to their rate, and to what their account may do.</summary>
internal sealed class Authentication(KeyRing keys, Sessions sessions, RateLimits limits, Access access) : IMiddleware
{
    private static readonly Failure Missing = new(
        ErrorCodes.MissingKey, "Missing API key.", "Send it as \"Authorization: Bearer sk_live_...\"; `carrel key` prints the admin's.");

    private static readonly Failure Invalid = new(ErrorCodes.InvalidKey, "Invalid API key.", "`carrel key` prints the admin's.");

    private static readonly Failure Expired = new(ErrorCodes.InvalidKey, "Your session has expired.", "Log in again.");

    private static readonly Failure CrossSite = new(ErrorCodes.AccessDenied, "Access denied: another site may not use this browser session.");

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<NeedsKey>() is not null)
        {
            var caller = Find(context);
            if (!caller.Succeeded)
            {
                await caller.Failure.AsProblem().ExecuteAsync(context);
                return;
            }

            context.Features.Set(caller.Value);
            if (access.RefusalOfAccount(caller.Value, Needs.Of(context)) is { } refusal)
            {
                await refusal.ExecuteAsync(context);
                return;
            }
        }

        await next(context);
    }

    /// <summary>The caller by API key, or else by browser session, unless they ask too often.</summary>
    public Outcome<Caller> Find(HttpContext context)
    {
        var found = Identify(context);
        var wait = found.Succeeded ? limits.Take(found.Value)
            : found.Failure == CrossSite ? null
            : limits.Failed(Sessions.AddressOf(context));
        return wait is { } time ? TooOften(context, time, found.Succeeded) : found;
    }

    /// <summary>A refusal whose answer says after how many seconds to ask again.</summary>
    public static Failure TooOften(HttpContext context, TimeSpan wait, bool isKnown)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
        if (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return new Failure(
            ErrorCodes.RateLimited,
            isKnown ? "Too many requests with this key." : "Too many failed attempts from this address.",
            $"Try again in {seconds} s.");
    }

    private Outcome<Caller> Identify(HttpContext context)
    {
        if (BearerOf(context.Request) is { } key)
        {
            return keys.Find(key) is { } known ? known : Invalid;
        }

        if (context.Request.Cookies[Sessions.Cookie] is not { } cookie)
        {
            return context.Request.Headers.Authorization.Count > 0 ? Invalid : Missing;
        }

        if (sessions.Find(cookie) is not { } caller)
        {
            return Expired;
        }

        return HttpMethods.IsGet(context.Request.Method) && !context.WebSockets.IsWebSocketRequest || SameOrigin(context.Request) ? caller : CrossSite;
    }

    public static string? BearerOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : null;
    }

    /// <summary>A browser names the page's origin on every request that changes something, and on every WebSocket.</summary>
    public static bool SameOrigin(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var origin)
        && string.Equals(origin.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
}

internal static class AuthenticationExtensions
{
    /// <summary>Only with a known key.</summary>
    public static TBuilder NeedsKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(Accounts.NeedsKey.Instance).Fails(401, 403, 429);
}
