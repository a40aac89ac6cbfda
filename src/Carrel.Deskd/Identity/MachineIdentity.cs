using System.Security.Cryptography;
using System.Text;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Identity;

/// <summary>Who this machine is, once it was told. Kept in memory and, for a restart of deskd, in <c>/run</c>.</summary>
internal sealed class MachineIdentity
{
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile byte[]? _tokenHash;

    public bool IsTaken => _taken.Task.IsCompleted;

    /// <summary>Completes when the machine knows who it is.</summary>
    public Task Taken => _taken.Task;

    public void Take(string token)
    {
        _tokenHash = Hash(token);
        _taken.TrySetResult();
    }

    /// <summary>Whether a request over TCP carries the computer's token. Compares hashes, in constant time.</summary>
    public bool Admits(Exchange exchange)
    {
        const string scheme = "Bearer ";
        var given = exchange.Authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            ? exchange.Authorization[scheme.Length..].Trim()
            : exchange.Query["token"];
        return given is not null && _tokenHash is { } expected && CryptographicOperations.FixedTimeEquals(Hash(given), expected);
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
