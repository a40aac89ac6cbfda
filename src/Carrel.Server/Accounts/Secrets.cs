using System.Security.Cryptography;
using System.Text;

namespace Carrel.Server.Accounts;

/// <summary>How secrets of ours are kept: long and random, so one SHA-256 is enough.</summary>
internal static class Secrets
{
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
