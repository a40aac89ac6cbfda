using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Carrel.Deskd.Http;

/// <summary>The opening handshake of RFC 6455, which ASP.NET's middleware would do if it were here.</summary>
internal static class WebSocketHandshake
{
    private const int KeyBytes = 16;

    public static bool IsRequested(IHeaderDictionary headers) =>
        string.Equals(headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase)
        && headers.SecWebSocketVersion == "13"
        && IsKey(headers.SecWebSocketKey.ToString());

    public static string Accept(IHeaderDictionary headers)
    {
        // SHA-1 is what RFC 6455 section 4.2.2 asks for; it protects nothing here.
#pragma warning disable CA5350
        var hash = SHA1.HashData(Encoding.ASCII.GetBytes(headers.SecWebSocketKey + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes + 2];
        return Convert.TryFromBase64String(key, bytes, out var length) && length == KeyBytes;
    }
}
