using System.Globalization;
using System.Text;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Input;

/// <summary>What people and agents call keys. X11's own names work too, through libX11's table.</summary>
internal static class KeyNames
{
    // Case does not matter, nor do _, - and spaces: page_up, PageUp, "page up".
    private static readonly Dictionary<string, uint> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["enter"] = Keysym.Return,
        ["return"] = Keysym.Return,
        ["newline"] = Keysym.Return,
        ["tab"] = Keysym.Tab,
        ["escape"] = Keysym.Escape,
        ["esc"] = Keysym.Escape,
        ["backspace"] = Keysym.BackSpace,
        ["delete"] = Keysym.Delete,
        ["del"] = Keysym.Delete,
        ["insert"] = 0xff63,
        ["ins"] = 0xff63,
        ["space"] = 0x20,
        ["spacebar"] = 0x20,
        ["up"] = 0xff52,
        ["down"] = 0xff54,
        ["left"] = 0xff51,
        ["right"] = 0xff53,
        ["arrowup"] = 0xff52,
        ["arrowdown"] = 0xff54,
        ["arrowleft"] = 0xff51,
        ["arrowright"] = 0xff53,
        ["uparrow"] = 0xff52,
        ["downarrow"] = 0xff54,
        ["leftarrow"] = 0xff51,
        ["rightarrow"] = 0xff53,
        ["home"] = 0xff50,
        ["end"] = 0xff57,
        ["pageup"] = 0xff55,
        ["pgup"] = 0xff55,
        ["prior"] = 0xff55,
        ["pagedown"] = 0xff56,
        ["pgdn"] = 0xff56,
        ["pgdown"] = 0xff56,
        ["next"] = 0xff56,
        ["ctrl"] = Keysym.ControlLeft,
        ["control"] = Keysym.ControlLeft,
        ["ctl"] = Keysym.ControlLeft,
        ["shift"] = Keysym.ShiftLeft,
        ["alt"] = Keysym.AltLeft,
        ["option"] = Keysym.AltLeft,
        ["opt"] = Keysym.AltLeft,
        ["altgr"] = Keysym.Level3Shift,
        ["super"] = Keysym.SuperLeft,
        ["meta"] = Keysym.SuperLeft,
        ["cmd"] = Keysym.SuperLeft,
        ["command"] = Keysym.SuperLeft,
        ["win"] = Keysym.SuperLeft,
        ["windows"] = Keysym.SuperLeft,
        ["capslock"] = Keysym.CapsLock,
        ["numlock"] = 0xff7f,
        ["scrolllock"] = 0xff14,
        ["printscreen"] = 0xff61,
        ["prtsc"] = 0xff61,
        ["print"] = 0xff61,
        ["pause"] = 0xff13,
        ["break"] = 0xff6b,
        ["menu"] = 0xff67,
        ["contextmenu"] = 0xff67,
        ["plus"] = '+',
        ["minus"] = '-',
        ["equal"] = '=',
        ["equals"] = '=',
        ["comma"] = ',',
        ["period"] = '.',
        ["dot"] = '.',
        ["slash"] = '/',
        ["backslash"] = '\\',
        ["semicolon"] = ';',
        ["quote"] = '\'',
        ["backtick"] = '`',
        ["volumeup"] = 0x1008ff13,
        ["volumedown"] = 0x1008ff11,
        ["volumemute"] = 0x1008ff12,
        ["mute"] = 0x1008ff12,
    };

    /// <summary>The keysym of a key's name or of a single character; null when nobody knows such a key.</summary>
    public static uint? Find(string name)
    {
        if (Rune.TryGetRuneAt(name, 0, out var rune) && rune.Utf16SequenceLength == name.Length)
        {
            return Keysym.ForRune(rune);
        }

        var bare = Bare(name);
        if (Aliases.TryGetValue(bare, out var known))
        {
            return known;
        }

        if (bare is ['f' or 'F', .. var digits]
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 35)
        {
            return Keysym.F1 + (uint)(number - 1);
        }

        // A NUL would end the name early in libX11's eyes.
        var keysym = name.Contains('\0', StringComparison.Ordinal) ? 0 : XKeysymNames.Find(name);
        return keysym == 0 ? null : keysym;
    }

    private static string Bare(string name) =>
        string.Concat(name.Split('_', '-', ' '));
}
