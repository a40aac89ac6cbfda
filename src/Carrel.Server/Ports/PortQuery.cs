using System.Net;
using Carrel.Server.Computers;

namespace Carrel.Server.Ports;

/// <summary>Query strings without what is ours in them, and otherwise as they came.</summary>
internal static class PortQuery
{
    /// <param name="query">With its question mark, or empty.</param>
    public static string Theirs(string? query, Computer computer)
    {
        if (string.IsNullOrEmpty(query))
        {
            return "";
        }

        var parts = query[1..].Split('&').Where(part => !IsOurs(part, computer)).ToList();
        return parts is [] or [""] ? "" : "?" + string.Join('&', parts);
    }

    public static string WithoutQuery(string path) => path.Split('?')[0];

    /// <summary>A server inside may have a parameter <c>token</c> of its own; one that holds a secret of ours is ours.</summary>
    private static bool IsOurs(string part, Computer computer)
    {
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && WebUtility.UrlDecode(part[..equals]) switch
        {
            PortClaims.Parameter => true,
            "token" => PortAccess.IsOurs(WebUtility.UrlDecode(part[(equals + 1)..]), computer),
            _ => false,
        };
    }
}
