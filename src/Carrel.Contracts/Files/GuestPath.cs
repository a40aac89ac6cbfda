using System.Buffers;
using System.Text;

namespace Carrel.Contracts.Files;

/// <summary>
/// A path inside a computer: names are bytes, as Linux has them, so that also one that is no UTF-8 can be named in a URL.
/// Dots are resolved by their letters, as URLs are, never by what is on a disk.
/// </summary>
public sealed class GuestPath
{
    /// <summary>PATH_MAX with its ending null.</summary>
    private const int MostBytes = 4095;

    private const int MostNameBytes = 255;
    private static readonly byte[] Home = "~"u8.ToArray();
    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"u8);
    private readonly IReadOnlyList<byte[]> _names;

    private GuestPath(IReadOnlyList<byte[]> names, bool inHome) => (_names, IsInHome) = (names, inHome);

    /// <summary>It starts at the home folder, not at the root.</summary>
    public bool IsInHome { get; }

    /// <summary>The root, or the home folder itself.</summary>
    public bool IsTop => _names.Count == 0;

    /// <summary>The last name, readable; empty for the root.</summary>
    public string Name => _names.Count > 0 ? Encoding.UTF8.GetString(_names[^1]) : IsInHome ? "home" : "";

    /// <summary>
    /// Reads it from a request's target as it came, after <paramref name="skip"/> segments that are not part of it. A first
    /// name <c>~</c> is the home folder.
    /// </summary>
    public static Outcome<GuestPath> FromTarget(string target, int skip)
    {
        var raw = PathOf(target);
        // Once over the segments as they are sent, as the server did that chose the route by them, then over the names.
        var segments = Resolve(raw[1..].Split('/').Select(Decode), keepEmpty: true);
        return Of(segments.Skip(skip).SelectMany(SplitSlashes), leadingHome: true, inHome: false);
    }

    /// <summary>Reads it from a text: absolute, <c>~/...</c>, or relative to the home folder.</summary>
    public static Outcome<GuestPath> FromText(string text)
    {
        var isHome = text == "~" || text.StartsWith("~/", StringComparison.Ordinal);
        return Of(SplitSlashes(Encoding.UTF8.GetBytes(isHome ? text[1..] : text)), leadingHome: false, inHome: isHome || !text.StartsWith('/'));
    }

    /// <summary>Below <paramref name="prefix"/>, every byte that could mean something encoded.</summary>
    public string ToTarget(string prefix)
    {
        var target = new StringBuilder(prefix);
        foreach (var name in IsInHome ? [Home, .. _names] : _names)
        {
            Encode(target.Append('/'), name);
        }

        return target.ToString();
    }

    /// <summary>Absolute, with the null that C wants at its end.</summary>
    /// <param name="home">Absolute, without a slash at its end.</param>
    public byte[] ToBytes(string home) => [.. Absolute(home), 0];

    /// <summary>Absolute, for messages and answers. Bytes that are no UTF-8 show as U+FFFD.</summary>
    public string ToText(string home) => Encoding.UTF8.GetString(Absolute(home));

    /// <summary>A name that is no UTF-8, as it has to stand in a URL.</summary>
    public static string Encode(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        Encode(text, name);
        return text.ToString();
    }

    private byte[] Absolute(string home)
    {
        var path = new List<byte>(IsInHome ? Encoding.UTF8.GetBytes(home) : []);
        foreach (var name in _names)
        {
            path.Add((byte)'/');
            path.AddRange(name);
        }

        return path.Count == 0 ? [(byte)'/'] : [.. path];
    }

    private static Outcome<GuestPath> Of(IEnumerable<byte[]> segments, bool leadingHome, bool inHome)
    {
        var names = Resolve(segments, keepEmpty: false);
        if (leadingHome && names.Count > 0 && names[0].AsSpan().SequenceEqual(Home))
        {
            names.RemoveAt(0);
            inHome = true;
        }

        if (names.Exists(name => name.AsSpan().Contains((byte)0)))
        {
            return new Failure(ErrorCodes.InvalidField, "The path holds a null byte, which no file name does.");
        }

        if (names.Exists(name => name.Length > MostNameBytes) || names.Sum(name => name.Length + 1) > MostBytes)
        {
            return new Failure(ErrorCodes.InvalidField, $"The path is too long: a name has at most {MostNameBytes} bytes, a path {MostBytes}.");
        }

        return new GuestPath(names, inHome);
    }

    private static List<byte[]> Resolve(IEnumerable<byte[]> segments, bool keepEmpty)
    {
        var names = new List<byte[]>();
        foreach (var segment in segments)
        {
            switch (segment)
            {
                case [(byte)'.', (byte)'.']:
                    if (names.Count > 0)
                    {
                        names.RemoveAt(names.Count - 1);
                    }

                    break;
                case [(byte)'.']:
                case [] when !keepEmpty:
                    break;
                default:
                    names.Add(segment);
                    break;
            }
        }

        return names;
    }

    /// <summary>Without query, and without scheme and host where a client sent the absolute form.</summary>
    private static string PathOf(string target)
    {
        var path = target.Split('?', 2)[0];
        if (!path.StartsWith('/'))
        {
            var scheme = path.IndexOf("://", StringComparison.Ordinal);
            var slash = scheme < 0 ? -1 : path.IndexOf('/', scheme + 3);
            path = slash < 0 ? "/" : path[slash..];
        }

        return path;
    }

    private static byte[] Decode(string segment)
    {
        var source = Encoding.UTF8.GetBytes(segment);
        var (bytes, length) = (new byte[source.Length], 0);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == '%' && i + 2 < source.Length && char.IsAsciiHexDigit((char)source[i + 1]) && char.IsAsciiHexDigit((char)source[i + 2]))
            {
                bytes[length++] = (byte)((HexValue(source[i + 1]) << 4) | HexValue(source[i + 2]));
                i += 2;
            }
            else
            {
                bytes[length++] = source[i];
            }
        }

        return bytes[..length];
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static List<byte[]> SplitSlashes(byte[] segment)
    {
        var names = new List<byte[]>();
        foreach (var range in segment.AsSpan().Split((byte)'/'))
        {
            names.Add(segment[range]);
        }

        return names;
    }

    private static void Encode(StringBuilder text, ReadOnlySpan<byte> name)
    {
        foreach (var letter in name)
        {
            if (Plain.Contains(letter))
            {
                text.Append((char)letter);
            }
            else
            {
                text.Append('%').Append(letter.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }
}
