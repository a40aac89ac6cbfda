using System.Globalization;

namespace Carrel.Deskd.Files;

/// <summary>The part of a file that a request asks for (RFC 9110 section 14). More than one part at once is answered with the whole.</summary>
internal readonly record struct ByteRange(long From, long Length, bool IsPart)
{
    /// <summary>Null where the range lies outside of the file.</summary>
    public static ByteRange? Parse(string? header, long size)
    {
        var whole = new ByteRange(0, size, false);
        if (header is null || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase) || header.Contains(',', StringComparison.Ordinal))
        {
            return whole;
        }

        var ends = header[6..].Trim().Split('-');
        if (ends.Length != 2 || !TryEnd(ends[0], out var from) || !TryEnd(ends[1], out var to) || (from ?? to) is null)
        {
            return whole;
        }

        if (from is not { } first)
        {
            var last = Math.Min(to!.Value, size);
            return last == 0 ? null : new ByteRange(size - last, last, true);
        }

        if (to < first)
        {
            return whole;
        }

        return first >= size ? null : new ByteRange(first, Math.Min(to ?? long.MaxValue, size - 1) - first + 1, true);
    }

    private static bool TryEnd(string text, out long? end)
    {
        var isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        end = isNumber ? number : null;
        return isNumber || text.Length == 0;
    }
}
