using System.Text;

namespace Carrel.Deskd.Identity;

/// <summary>
/// The 8 bytes of a VNC password file: the password, cut or padded with zeros to 8 bytes, encrypted by DES under a key
/// that every VNC shares. Obfuscation, not protection; the file's mode protects it.
/// </summary>
internal static class VncPassword
{
    // 23, 82, 107, 6, 35, 78, 88, 7 with the bits of each byte in reverse order, which is how VNC feeds keys to DES.
    private static readonly byte[] Key = [0xe8, 0x4a, 0xd6, 0x60, 0xc4, 0x72, 0x1a, 0xe0];

    public static byte[] Obfuscate(string password)
    {
        var block = new byte[8];
        var bytes = Encoding.UTF8.GetBytes(password);
        bytes.AsSpan(0, Math.Min(8, bytes.Length)).CopyTo(block);
        return Des.EncryptBlock(Key, block);
    }
}
