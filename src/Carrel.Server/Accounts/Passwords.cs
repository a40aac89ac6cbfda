using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Carrel.Server.Accounts;

/// <summary>Passwords, kept as PBKDF2-SHA256. A look at one is slow on purpose, so only a few are looked at side by side.</summary>
internal sealed class Passwords : IDisposable
{
    public const int Shortest = 10;
    public const int Longest = 200;
    private const int Iterations = 600_000;
    private const int Bytes = 32;
    private const string Scheme = "pbkdf2-sha256";
    private static readonly string Nobodys = string.Create(
        CultureInfo.InvariantCulture, $"{Scheme}${Iterations}${Convert.ToBase64String(new byte[16])}${Convert.ToBase64String(new byte[Bytes])}");

    private readonly SemaphoreSlim _few = new(Math.Max(1, Environment.ProcessorCount / 2));

    public Task<string> HashAsync(string password) => RunAsync(() =>
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = Derive(password, salt, Iterations);
        return string.Create(CultureInfo.InvariantCulture, $"{Scheme}${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
    });

    /// <param name="kept">Null where there is no such user, or none with a password: it takes as long to say no.</param>
    public Task<bool> MatchesAsync(string password, string? kept) => RunAsync(() =>
    {
        var parts = (kept ?? Nobodys).Split('$');
        var hash = Derive(password, Convert.FromBase64String(parts[2]), int.Parse(parts[1], CultureInfo.InvariantCulture));
        return CryptographicOperations.FixedTimeEquals(hash, Convert.FromBase64String(parts[3])) && kept is not null;
    });

    public void Dispose() => _few.Dispose();

    private async Task<T> RunAsync<T>(Func<T> slow)
    {
        await _few.WaitAsync();
        try
        {
            return await Task.Run(slow);
        }
        finally
        {
            _few.Release();
        }
    }

    private static byte[] Derive(string password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, Bytes);
}
