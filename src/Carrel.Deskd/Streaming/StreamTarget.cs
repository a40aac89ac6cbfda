using System.Text;

namespace Carrel.Deskd.Streaming;

/// <summary>
/// Where a stream goes. The list of processes shows host and port alone: application and key reach ffmpeg as options in a
/// nameless memory file, which it reads as a preset (<c>-fpre</c>); its RTMP client takes them from there instead of the URL.
/// </summary>
internal sealed record StreamTarget(string Scheme, string Authority, string Application, string Key)
{
    /// <summary>What ffmpeg reads as one line of a preset is at most this long, with the option's name.</summary>
    public const int LongestField = 900;

    private string Shown => $"{Scheme}://{Authority}";

    /// <summary>Ten seconds without a byte taken are a broken connection.</summary>
    public IEnumerable<string> Output =>
    [
        "-f", "flv", "-flvflags", "no_duration_filesize", "-rw_timeout", "10000000",
        .. Scheme == "rtmps" ? (string[])["-tls_verify", "1", "-ca_file", "/etc/ssl/certs/ca-certificates.crt"] : [],
        "-fpre", FfmpegProcess.SecretOptionsPath, Shown,
    ];

    public byte[] SecretOptions
    {
        get
        {
            var options = new StringBuilder().Append("rtmp_app=").Append(Application).Append('\n')
                .Append("rtmp_tcurl=").Append(Shown).Append('/').Append(Application).Append('\n');
            if (Key.Length > 0)
            {
                options.Append("rtmp_playpath=").Append(Key).Append('\n');
            }

            return Encoding.UTF8.GetBytes(options.ToString());
        }
    }

    /// <summary>Null where it is no address of an RTMP application.</summary>
    public static StreamTarget? Parse(string url, string key)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed)
            || parsed.Scheme is not ("rtmp" or "rtmps")
            || parsed.Host.Length == 0
            || parsed.UserInfo.Length > 0
            || parsed.Fragment.Length > 0
            || parsed.PathAndQuery.Trim('/').Length == 0
            || HasControls(url)
            || HasControls(key))
        {
            return null;
        }

        // With a key, all of the path is the application; without one, its last part is what ffmpeg takes for the stream's name.
        var path = parsed.PathAndQuery.Trim('/');
        var cut = key.Length > 0 ? -1 : path.LastIndexOf('/');
        return cut > 0
            ? new StreamTarget(parsed.Scheme, parsed.Authority, path[..cut], path[(cut + 1)..])
            : new StreamTarget(parsed.Scheme, parsed.Authority, path, key);
    }

    /// <summary>Keeps the key out of every log and message.</summary>
    public override string ToString() => Shown;

    private static bool HasControls(string text) => text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));
}
