using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Carrel.Server.Computers;
using Carrel.Server.State;
using Microsoft.AspNetCore.WebUtilities;

namespace Carrel.Server.Ports;

/// <summary>
/// The right to visit one port of one computer until a moment, under an HMAC: what a signed link carries, and then a cookie. It
/// holds the computer's token in, which is new at every start: a restart revokes all links.
/// </summary>
internal sealed class PortClaims(SecretBox secrets, TimeProvider clock)
{
    public const string Parameter = "carrel_link";
    public const string Cookie = "carrel_port";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private readonly byte[] _key = secrets.KeyFor("port links");

    public (string Claim, DateTimeOffset Expires) Issue(ComputerRecord computer, int port, TimeSpan lifetime)
    {
        var expires = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().Add(lifetime).ToUnixTimeSeconds());
        return (Issue(computer, port, expires), expires);
    }

    public string Issue(ComputerRecord computer, int port, DateTimeOffset expires)
    {
        var until = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{until}.{Sign(computer, port, until)}";
    }

    /// <returns>When the claim ends; null where it is none, is forged, is another port's, or has ended.</returns>
    public DateTimeOffset? Check(ComputerRecord computer, int port, string? claim)
    {
        if (claim is null || claim.Length > 200 || claim.IndexOf('.', StringComparison.Ordinal) is not (> 0 and var dot))
        {
            return null;
        }

        var until = claim[..dot];
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign(computer, port, until)), Encoding.UTF8.GetBytes(claim[(dot + 1)..]))
            && long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && DateTimeOffset.FromUnixTimeSeconds(seconds) is var expires && expires > clock.GetUtcNow()
            ? expires
            : null;
    }

    private string Sign(ComputerRecord computer, int port, string until) => WebEncoders.Base64UrlEncode(HMACSHA256.HashData(
        _key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{computer.InstanceId}\n{port}\n{until}\n{computer.Secrets.Token}"))));
}
