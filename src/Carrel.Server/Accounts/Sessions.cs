using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Carrel.Server.State;

namespace Carrel.Server.Accounts;

/// <summary>Browser sessions: a signed cookie that names a key and a moment; nothing is kept on the server.</summary>
internal sealed class Sessions(SecretBox secrets, KeyRing keys, TimeProvider clock)
{
    public const string Cookie = "carrel_session";
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);
    private readonly byte[] _key = secrets.KeyFor("browser sessions");

    public string Issue(Caller caller)
    {
        var claim = string.Create(CultureInfo.InvariantCulture, $"{caller.KeyId}.{clock.GetUtcNow().Add(Lifetime).ToUnixTimeSeconds()}");
        return $"{claim}.{Sign(claim)}";
    }

    /// <summary>The session's caller; null where it is forged, has ended, or its key is no longer in use.</summary>
    public Caller? Find(string cookie)
    {
        var cut = cookie.LastIndexOf('.');
        if (cut < 0)
        {
            return null;
        }

        var claim = cookie[..cut];
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign(claim)), Encoding.UTF8.GetBytes(cookie[(cut + 1)..])))
        {
            return null;
        }

        var parts = claim.Split('.');
        return long.Parse(parts[1], CultureInfo.InvariantCulture) > clock.GetUtcNow().ToUnixTimeSeconds() ? keys.FindById(parts[0]) : null;
    }

    private string Sign(string claim) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(claim)));
}
