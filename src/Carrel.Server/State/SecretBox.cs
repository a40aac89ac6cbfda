using System.Security.Cryptography;
using System.Text;

namespace Carrel.Server.State;

/// <summary>Encrypts secrets at rest (AES-256-GCM) and derives the installation's other keys from its root secret.</summary>
internal sealed class SecretBox(byte[] root)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly byte[] _key = Derive(root, "secrets at rest");

    public byte[] KeyFor(string purpose) => Derive(root, purpose);

    public string Seal(string secret)
    {
        var plain = Encoding.UTF8.GetBytes(secret);
        var box = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var cipher = new AesGcm(_key, TagBytes); // One instance must not be shared between threads.
        cipher.Encrypt(box.AsSpan(0, NonceBytes), plain, box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length));
        return Convert.ToBase64String(box);
    }

    /// <exception cref="CryptographicException">The box was sealed under another key, or altered.</exception>
    public string Open(string sealedBox)
    {
        var box = Convert.FromBase64String(sealedBox);
        var plain = new byte[box.Length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(_key, TagBytes);
        cipher.Decrypt(box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), plain);
        return Encoding.UTF8.GetString(plain);
    }

    private static byte[] Derive(byte[] root, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, root, 32, info: Encoding.UTF8.GetBytes("carrel/" + purpose));
}
