using System.Globalization;
using System.Net.Http.Headers;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace Carrel.Server.Ports;

/// <summary>
/// What changes on the way. In: none of our secrets, and the server inside is told that it is <c>localhost</c>, which all of them
/// admit. Out: nothing that reaches beyond the port's own place, since the guest may be hostile and a browser may believe it.
/// </summary>
internal sealed class PortTransformer(PortCall call, Computer computer, string here) : HttpTransformer
{
    /// <summary>Scripts may run, but as nobody: without <c>allow-same-origin</c> a page has no origin, no cookies and no storage.</summary>
    private const string Sandbox = "sandbox allow-scripts allow-forms allow-downloads allow-modals allow-popups";

    /// <summary>Our cookies' names begin so; they are neither shown to the guest nor set by it.</summary>
    private const string OurCookies = "carrel_";

    private static readonly string[] Forwarded = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix"];

    /// <summary>Headers that would speak for the whole origin or host.</summary>
    private static readonly string[] ForAll =
        ["Strict-Transport-Security", "Clear-Site-Data", "Service-Worker-Allowed", "NEL", "Report-To", "Reporting-Endpoints", "Public-Key-Pins", "Origin-Agent-Cluster", "Set-Cookie2"];

    private readonly string _inside = string.Create(CultureInfo.InvariantCulture, $"localhost:{call.Port}");

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var request = httpContext.Request;
        var headers = proxyRequest.Headers;
        headers.Host = _inside;
        foreach (var name in Forwarded)
        {
            headers.Remove(name);
        }

        headers.TryAddWithoutValidation("X-Forwarded-For", httpContext.Connection.RemoteIpAddress?.ToString());
        headers.TryAddWithoutValidation("X-Forwarded-Proto", here[..here.IndexOf(':', StringComparison.Ordinal)]);
        headers.TryAddWithoutValidation("X-Forwarded-Host", request.Host.Value);
        if (!call.OwnOrigin)
        {
            headers.TryAddWithoutValidation("X-Forwarded-Prefix", call.Prefix);
        }

        if (Authentication.BearerOf(request) is { } bearer && PortAccess.IsOurs(bearer, computer))
        {
            headers.Remove(HeaderNames.Authorization);
        }

        headers.Remove(HeaderNames.Cookie);
        if (TheirCookies(request.Headers.Cookie) is { Length: > 0 } cookies)
        {
            headers.TryAddWithoutValidation(HeaderNames.Cookie, cookies);
        }

        Inward(headers, HeaderNames.Origin, request.Headers.Origin);
        Inward(headers, HeaderNames.Referer, request.Headers.Referer);
        proxyRequest.RequestUri = new Uri(
            $"http://{_inside}{call.Target}{PortQuery.Theirs(request.QueryString.Value, computer)}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        var headers = httpContext.Response.Headers;
        if (call.OwnOrigin)
        {
            headers.Remove(HeaderNames.XContentTypeOptions);
        }

        if (proxyResponse?.Headers.Contains(Errors.ErrorPages.RequestIdHeader) == true)
        {
            headers.Remove(Errors.ErrorPages.RequestIdHeader);
        }

        // Our own cookie, if there is one, is the only one yet. The guest's must not look like it.
        var ours = headers.SetCookie;
        headers.Remove(HeaderNames.SetCookie);
        if (!await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken))
        {
            return false;
        }

        foreach (var name in call.OwnOrigin ? ForAll.AsSpan(0, 1) : ForAll)
        {
            headers.Remove(name);
        }

        headers.SetCookie = StringValues.Concat(ours, new StringValues([.. headers.SetCookie.Select(PlacedCookie).OfType<string>()]));
        if (headers.Location.Count > 0)
        {
            headers.Location = Outward(headers.Location.ToString());
        }

        if (!call.OwnOrigin)
        {
            headers.ContentSecurityPolicy = StringValues.Concat(headers.ContentSecurityPolicy, Sandbox);
        }

        return true;
    }

    private static string TheirCookies(StringValues cookies) => string.Join("; ", cookies
        .SelectMany(header => header!.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        .Where(cookie => !cookie.StartsWith(OurCookies, StringComparison.OrdinalIgnoreCase)));

    /// <summary>A cookie for this port alone: no domain, and a path below the port's.</summary>
    private string? PlacedCookie(string? header)
    {
        var parts = header!.Split(';', StringSplitOptions.TrimEntries);
        if (parts[0].StartsWith(OurCookies, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var path = parts.Skip(1).LastOrDefault(part => part.StartsWith("path=", StringComparison.OrdinalIgnoreCase))?[5..].Trim('"');
        var others = parts.Where((part, i) => i == 0 || !(part.StartsWith("path", StringComparison.OrdinalIgnoreCase) || part.StartsWith("domain", StringComparison.OrdinalIgnoreCase)));
        var placed = path is null or "" && call.OwnOrigin ? null : call.Prefix + (path?.StartsWith('/') == true ? path : "/");
        return string.Join("; ", placed is null ? others : others.Append("Path=" + placed));
    }

    /// <summary>What names our address names the server's own inside, so that its checks of origin against host hold.</summary>
    private void Inward(HttpRequestHeaders headers, string name, StringValues values)
    {
        if (values.Count == 1 && Uri.TryCreate(values.ToString(), UriKind.Absolute, out var uri)
            && Uri.TryCreate(here, UriKind.Absolute, out var ours) && uri.Authority == ours.Authority)
        {
            headers.Remove(name);
            var path = uri.PathAndQuery.StartsWith(call.CookiePath, StringComparison.Ordinal) ? uri.PathAndQuery[call.Prefix.Length..] : "/";
            headers.TryAddWithoutValidation(name, name == HeaderNames.Origin ? $"http://{_inside}" : $"http://{_inside}{PortQuery.WithoutQuery(path)}");
        }
    }

    private string Outward(string location)
    {
        if (location.StartsWith('/') && !location.StartsWith("//", StringComparison.Ordinal))
        {
            return call.Prefix + location;
        }

        return Uri.TryCreate(location, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.Port == call.Port && uri.IsLoopback
            ? here + uri.PathAndQuery + uri.Fragment
            : location;
    }
}
