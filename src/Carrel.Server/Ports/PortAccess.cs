using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;

namespace Carrel.Server.Ports;

/// <summary>How a caller came in.</summary>
/// <param name="Claim">What to put into a cookie, so that the next request needs no query; null where there is one already, or none is wanted.</param>
/// <param name="Expires">When the claim ends, also that of a cookie there is; default where there is none.</param>
internal readonly record struct PortEntry(string? Claim, DateTimeOffset Expires)
{
    public bool Remembers => Claim is not null;
}

/// <summary>
/// Who may use a port: the computer's secret or a key that may use the computer, as Bearer or <c>?token=</c>; a signed link; the
/// cookie of an earlier visit. Never a browser session of ours: what comes back is the guest's.
/// </summary>
internal sealed class PortAccess(ComputerRegistry registry, KeyRing keys, Access access, PortClaims claims)
{
    public (Computer? Computer, Problem? Problem, PortEntry Entry) Find(HttpContext context, PortCall call)
    {
        var request = context.Request;
        var computer = registry.Find(call.Id);
        if (computer is not null)
        {
            var record = computer.State.Record;
            var link = request.Query[PortClaims.Parameter].ToString();
            if (claims.Check(record, call.Port, link) is { } until)
            {
                return (computer, null, new PortEntry(link, until));
            }

            // Another site's page may not ride on the cookie, not even where browsers think it the same site.
            if (claims.Check(record, call.Port, request.Cookies[PortClaims.Cookie]) is { } end
                && (request.Headers.Origin.Count == 0 || Authentication.SameOrigin(request)))
            {
                return (computer, null, new PortEntry(null, end));
            }
        }

        var token = request.Query["token"].ToString();
        if (BySecret(Authentication.BearerOf(request), call, computer) is { } byHeader)
        {
            return (byHeader.Computer, byHeader.Problem, default);
        }

        if (BySecret(token, call, computer) is { } byQuery)
        {
            // Programs go on as they began; a browser's next request will not bring the token.
            var entry = byQuery.Computer is { } own && IsVisit(request) ? Issued(own, call.Port) : default;
            return (byQuery.Computer, byQuery.Problem, entry);
        }

        return (null, new Failure(
            ErrorCodes.InvalidKey,
            "Missing or invalid token for this port.",
            "Open a link made by POST /api/computers/{id}/ports/{port}/link, or send the computer's token or an API key as a Bearer token or ?token=.").AsProblem(), default);
    }

    /// <summary>A page that a browser goes to, as opposed to what it loads or a program asks for.</summary>
    public static bool IsVisit(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && !request.HttpContext.WebSockets.IsWebSocketRequest
        && (request.Headers["Sec-Fetch-Mode"] == "navigate" || request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a secret is one of ours, and so none of the guest's business.</summary>
    public static bool IsOurs(string secret, Computer computer) =>
        secret.StartsWith(KeyRing.Prefix, StringComparison.Ordinal) || ComputerRegistry.Opens(computer, secret);

    /// <summary>The same right under the secrets of the start that it brought about, for as long as it was given.</summary>
    public PortEntry Renewed(PortEntry entry, Computer computer, int port) =>
        entry.Expires == default ? entry : new PortEntry(claims.Issue(computer.State.Record, port, entry.Expires), entry.Expires);

    private PortEntry Issued(Computer computer, int port)
    {
        var (claim, expires) = claims.Issue(computer.State.Record, port, PortClaims.Lifetime);
        return new PortEntry(claim, expires);
    }

    private (Computer? Computer, Problem? Problem)? BySecret(string? secret, PortCall call, Computer? computer)
    {
        if (string.IsNullOrEmpty(secret))
        {
            return null;
        }

        if (computer is not null && ComputerRegistry.Opens(computer, secret))
        {
            return (computer, null);
        }

        if (keys.Find(secret) is not { } caller)
        {
            return null;
        }

        var missing = $"Computer not found: {call.Id}.";
        if (computer is null)
        {
            return (null, Problem.NotFound(missing));
        }

        var record = computer.State.Record;

        // A server inside may do anything with whatever it is asked, so every method uses the computer.
        return access.Refusal(caller, ActionClass.Use, record.AccountId, record.WorkspaceId, missing) is { } refusal ? (null, refusal) : (computer, null);
    }
}
