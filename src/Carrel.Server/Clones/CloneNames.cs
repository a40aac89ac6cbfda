using System.Globalization;
using System.Text.RegularExpressions;

namespace Carrel.Server.Clones;

/// <summary>Names of clones (reference section 4.9): <c>name (clone)</c>, then <c>name (clone 2)</c>; a clone's clone counts on.</summary>
internal static partial class CloneNames
{
    private const int MostCharacters = 200;

    /// <param name="taken">Whether the target workspace has a computer of that name.</param>
    public static string Next(string source, Func<string, bool> taken)
    {
        var stem = Suffix().Replace(source, "");
        for (var number = 1; ; number++)
        {
            var suffix = number == 1 ? " (clone)" : string.Create(CultureInfo.InvariantCulture, $" (clone {number})");
            var name = Cut(stem, MostCharacters - suffix.Length) + suffix;
            if (!taken(name))
            {
                return name;
            }
        }
    }

    /// <summary>Not between the halves of one character.</summary>
    private static string Cut(string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];

    [GeneratedRegex(@"(?<=.) \(clone(?: [0-9]{1,9})?\)$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Suffix();
}
