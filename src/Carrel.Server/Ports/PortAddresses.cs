using System.Globalization;
using System.Net;
using Carrel.Contracts;
using Carrel.Server.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Server.Ports;

/// <summary>
/// The two addresses of a port. <c>{port}-{instance}.{ports_domain}</c> is an origin of its own, for browsers;
/// <c>/desktops/{id}/ports/{port}/</c> is in ours, for programs.
/// </summary>
internal sealed class PortAddresses(Settings settings, PublicAddress address)
{
    private const string Localhost = "localhost";

    /// <summary>Ports of the computer's own services, which have addresses of their own (reference section 6.3).</summary>
    private static readonly int[] Reserved = [5900, 5999, 6080, 8080];

    public static Outcome<int> ReadPort(string text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > ushort.MaxValue)
        {
            return new Failure(ErrorCodes.InvalidField, $"A port is a number from 1 to 65535, not {(text.Length <= 10 ? text : text[..10] + "...")}.");
        }

        return Reserved.Contains(port)
            ? new Failure(ErrorCodes.InvalidField, $"Port {port} belongs to the computer's own services.", "Let your server listen on another one.")
            : port;
    }

    /// <summary>The call that a host name of a port's own makes of a request; null for every other host name.</summary>
    public (string Id, string Port)? OfHost(HttpRequest request)
    {
        var host = request.Host.Host;
        if (settings.PortsDomain.Length == 0 || !host.EndsWith("." + settings.PortsDomain, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var label = host[..^(settings.PortsDomain.Length + 1)];
        var dash = label.IndexOf('-', StringComparison.Ordinal);
        return dash is > 0 and <= 5 && label.AsSpan(0, dash).IndexOfAnyExceptInRange('0', '9') < 0 && label.Length == dash + 9
            && label[(dash + 1)..].All(char.IsAsciiHexDigit)
            ? (label[(dash + 1)..], label[..dash])
            : null;
    }

    /// <summary>What follows <paramref name="prefix"/> in the request's path, as it came.</summary>
    public static string TargetOf(HttpContext context, string prefix)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var end = raw.IndexOf('?', StringComparison.Ordinal);
        var path = end < 0 ? raw : raw[..end];
        if (path.StartsWith(prefix + "/", StringComparison.Ordinal))
        {
            return path[prefix.Length..];
        }

        // Written in some other way: what the server made of it is taken instead.
        var plain = context.Request.Path.Value!;
        return plain.Length > prefix.Length ? new PathString(plain[prefix.Length..]).ToUriComponent() : "/";
    }

    /// <summary>The address of a port for a browser, without a slash at its end, and whether it is an origin of its own.</summary>
    public (string Url, bool OwnOrigin) For(HttpRequest request, string instance, int port)
    {
        var at = address.Of(request);
        var domain = settings.PortsDomain;

        // Browsers take every name below localhost to their own machine, which is ours only where they already reached us there.
        if (domain.Length > 0 && (domain != Localhost || IsLoopback(at.Host)))
        {
            var own = at.IsDefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{at.Port}");
            return (string.Create(CultureInfo.InvariantCulture, $"{at.Scheme}://{port}-{instance}.{domain}{own}"), true);
        }

        return (string.Create(CultureInfo.InvariantCulture, $"{address.BaseOf(request)}/desktops/{instance}/ports/{port}"), false);
    }

    /// <summary>The address a request came to, as the client wrote it: for links back to it.</summary>
    public string Here(HttpRequest request, PortCall call) => $"{address.Of(request).Scheme}://{request.Host}{call.Prefix}";

    private static bool IsLoopback(string host) =>
        host == Localhost || host.EndsWith("." + Localhost, StringComparison.Ordinal) || (IPAddress.TryParse(host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}
