using System.Text;

namespace Carrel.Deskd.Input;

/// <summary>X11's numbers for what is on keys.</summary>
internal static class Keysym
{
    public const uint BackSpace = 0xff08;
    public const uint Tab = 0xff09;
    public const uint Return = 0xff0d;
    public const uint Escape = 0xff1b;
    public const uint Delete = 0xffff;
    public const uint F1 = 0xffbe;
    public const uint ShiftLeft = 0xffe1;
    public const uint ControlLeft = 0xffe3;
    public const uint CapsLock = 0xffe5;
    public const uint AltLeft = 0xffe9;
    public const uint SuperLeft = 0xffeb;
    public const uint Level3Shift = 0xfe03;

    /// <summary>
    /// The keysym that types a character: Latin-1 is itself, the rest of Unicode is offset. Null for a control character
    /// that no key stands for.
    /// </summary>
    public static uint? ForRune(Rune rune) => rune.Value switch
    {
        '\n' or '\r' => Return,
        '\t' => Tab,
        '\b' => BackSpace,
        0x1b => Escape,
        0x7f => Delete,
        < 0x20 or (> 0x7f and < 0xa0) => null,
        < 0x100 => (uint)rune.Value,
        0x20ac => 0x20ac,
        _ => 0x0100_0000u | (uint)rune.Value,
    };

    public static bool IsModifier(uint keysym) => keysym is (>= 0xffe1 and <= 0xffee) or Level3Shift;
}
