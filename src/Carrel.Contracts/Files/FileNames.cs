using System.Text;

namespace Carrel.Contracts.Files;

/// <summary>Names that strangers give to files.</summary>
public static class FileNames
{
    public const int MostBytes = 255;
    private const string Nameless = "file";

    /// <summary>The last part of a name that may be a whole path, without control characters, at most 255 bytes, the extension kept.</summary>
    public static string Clean(string? name)
    {
        var last = (name ?? "").Split('/', '\\')[^1];
        var clean = string.Concat(last.EnumerateRunes().Where(rune => !Rune.IsControl(rune) && rune != Rune.ReplacementChar)).Trim();
        return clean is "" or "." or ".." ? Nameless : Fit(clean, "");
    }

    /// <summary>The name itself for 1, then <c>name (2).txt</c>, <c>name (3).txt</c>.</summary>
    public static string Copy(string name, int number) => number == 1 ? name : Fit(name, $" ({number})");

    private static string Fit(string name, string suffix)
    {
        var dot = name.LastIndexOf('.');
        var extension = dot > 0 && Encoding.UTF8.GetByteCount(name[dot..]) <= 32 ? name[dot..] : "";
        var stem = name[..^extension.Length];
        var room = MostBytes - Encoding.UTF8.GetByteCount(suffix) - Encoding.UTF8.GetByteCount(extension);
        var kept = new StringBuilder();
        foreach (var rune in stem.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        return kept + suffix + extension;
    }
}
