using Carrel.Contracts;

namespace Carrel.Deskd.Input;

/// <summary>Keys pressed together, in the order they go down; they come up in reverse.</summary>
internal sealed record KeyCombination(IReadOnlyList<uint> Keysyms)
{
    /// <summary>
    /// Parses names joined by <c>+</c>. A plus sign itself is <c>+</c> or <c>plus</c>, also at the end: <c>ctrl++</c>. With
    /// a modifier, a capital letter means its key (<c>ctrl+C</c> is <c>ctrl+c</c>); shift is asked for by name.
    /// </summary>
    public static Outcome<KeyCombination> Parse(string text)
    {
        var names = Split(text.Trim());
        var keysyms = new List<uint>(names.Count);
        foreach (var name in names)
        {
            if (name.Length == 0 || KeyNames.Find(name) is not { } keysym)
            {
                var what = name.Length == 0 ? $"key \"{text}\" lacks a key's name" : $"key \"{name}\" is not known";
                return new Failure(ErrorCodes.InvalidField, what, "Use names such as Enter, ctrl+c, alt+F4, or X11 keysym names.");
            }

            keysyms.Add(keysym);
        }

        var hasModifier = keysyms.Exists(k => Keysym.IsModifier(k));
        return new KeyCombination(hasModifier ? keysyms.ConvertAll(LowerLetter) : keysyms);
    }

    private static uint LowerLetter(uint keysym) => keysym is >= 'A' and <= 'Z' ? keysym + 32 : keysym;

    private static List<string> Split(string text)
    {
        if (text is "+" or "")
        {
            return [text];
        }

        var endsInPlus = text.EndsWith("++", StringComparison.Ordinal);
        var names = (endsInPlus ? text[..^2] : text).Split('+').Select(name => name.Trim()).ToList();
        if (endsInPlus)
        {
            names.Add("+");
        }

        return names;
    }
}
