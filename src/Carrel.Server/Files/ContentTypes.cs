using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Carrel.Server.Files;

/// <summary>
/// Contents that strangers and guests made, under our own address: always to be saved and never to be shown, and of a type in which
/// no browser finds a script.
/// </summary>
internal static class ContentTypes
{
    public const string Unknown = "application/octet-stream";
    private static readonly FileExtensionContentTypeProvider Provider = new();

    /// <summary>Beside pictures, sound and film.</summary>
    private static readonly HashSet<string> Harmless = ["text/plain", "text/csv", "application/json", "application/zip", "application/gzip", "application/x-tar"];

    /// <summary>What a name promises.</summary>
    public static string Guess(string filename) => Provider.TryGetContentType(filename, out var type) ? type : Unknown;

    /// <summary>What it is served as.</summary>
    public static string Served(string filename)
    {
        var type = Guess(filename);
        var isMedia = type.StartsWith("image/", StringComparison.Ordinal) || type.StartsWith("audio/", StringComparison.Ordinal) || type.StartsWith("video/", StringComparison.Ordinal);
        return Harmless.Contains(type) || (isMedia && !type.Contains("xml", StringComparison.Ordinal)) ? type : Unknown;
    }

    public static void Fence(HttpResponse response, string filename)
    {
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(filename);
        response.Headers.ContentDisposition = disposition.ToString();
        Fence(response);
    }

    public static void Fence(HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        response.Headers.CacheControl = "private, no-cache";
    }
}
