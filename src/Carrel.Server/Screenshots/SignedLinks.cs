using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Carrel.Server.State;
using Microsoft.AspNetCore.WebUtilities;

namespace Carrel.Server.Screenshots;

/// <summary>Links that open without a login, cannot be guessed and expire: the path and its end, under an HMAC.</summary>
internal sealed class SignedLinks(SecretBox secrets, TimeProvider clock)
{
    private readonly byte[] _key = secrets.KeyFor("signed links");

    public string Sign(string baseUrl, string path, DateTimeOffset expires)
    {
        var until = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{baseUrl}{path}?expires={until}&signature={Signature(path, until)}";
    }

    /// <returns>How long the link still lives; null where it is forged or has expired.</returns>
    public TimeSpan? Check(string path, string expires, string signature)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Signature(path, expires)), Encoding.UTF8.GetBytes(signature))
            || !long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var until))
        {
            return null;
        }

        var left = DateTimeOffset.FromUnixTimeSeconds(until) - clock.GetUtcNow();
        return left > TimeSpan.Zero ? left : null;
    }

    private string Signature(string path, string expires) =>
        WebEncoders.Base64UrlEncode(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{path}\n{expires}")));
}
