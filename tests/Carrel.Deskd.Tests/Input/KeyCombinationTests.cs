using Carrel.Deskd.Input;
using FsCheck;
using FsCheck.Fluent;

namespace Carrel.Deskd.Tests.Input;

public sealed class KeyCombinationTests
{
    private static readonly string[] Modifiers = ["ctrl", "alt", "shift", "super", "meta", "cmd", "win", "option", "Control", "SHIFT"];
    private static readonly string[] Keys = ["Enter", "Tab", "a", "Z", "9", "+", "F5", "Page_Up", "Return", "é", "😀", "XF86AudioMute"];

    [Theory]
    [InlineData("Enter", 0xff0d)]
    [InlineData("Return", 0xff0d)]
    [InlineData("enter", 0xff0d)]
    [InlineData("Tab", 0xff09)]
    [InlineData("Escape", 0xff1b)]
    [InlineData("Backspace", 0xff08)]
    [InlineData("BackSpace", 0xff08)]
    [InlineData("Delete", 0xffff)]
    [InlineData("Up", 0xff52)]
    [InlineData("Page_Up", 0xff55)]
    [InlineData("PageUp", 0xff55)]
    [InlineData("page_down", 0xff56)]
    [InlineData("Home", 0xff50)]
    [InlineData("End", 0xff57)]
    [InlineData("F1", 0xffbe)]
    [InlineData("F12", 0xffc9)]
    [InlineData("f24", 0xffd5)]
    [InlineData("XF86AudioMute", 0x1008ff12)]
    [InlineData("KP_Enter", 0xff8d)]
    [InlineData("Super_L", 0xffeb)]
    [InlineData("eacute", 0xe9)]
    [InlineData("a", 0x61)]
    [InlineData("A", 0x41)]
    [InlineData("+", 0x2b)]
    [InlineData("😀", 0x101f600)]
    public void A_key_has_a_name(string name, uint keysym) => Assert.Equal([keysym], KeyCombination.Parse(name).Value.Keysyms);

    [Theory]
    [InlineData("ctrl+c", 0xffe3, 0x63)]
    [InlineData("ctrl+C", 0xffe3, 0x63)]
    [InlineData("ctrl++", 0xffe3, 0x2b)]
    [InlineData("alt+F4", 0xffe9, 0xffc1)]
    [InlineData("cmd+v", 0xffeb, 0x76)]
    [InlineData("super+Left", 0xffeb, 0xff51)]
    [InlineData(" ctrl + Tab ", 0xffe3, 0xff09)]
    public void Keys_are_joined_by_plus(string text, uint first, uint second) =>
        Assert.Equal([first, second], KeyCombination.Parse(text).Value.Keysyms);

    [Fact]
    public void Three_keys_work_too() => Assert.Equal([0xffe3, 0xffe1, 0x74], KeyCombination.Parse("ctrl+shift+t").Value.Keysyms);

    [Theory]
    [InlineData("ctrl+foo", "\"foo\"")]
    [InlineData("Entre", "\"Entre\"")]
    [InlineData("", "key")]
    [InlineData("ctrl+", "ctrl+")]
    [InlineData("+a", "+a")]
    [InlineData("a\0", "key")]
    public void An_unknown_key_is_named(string text, string named)
    {
        var parsed = KeyCombination.Parse(text);

        Assert.False(parsed.Succeeded);
        Assert.Contains(named, parsed.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_modifiers_with_any_key_parse_to_as_many_keys() => Prop.ForAll(
        Gen.SubListOf(Modifiers).ToArbitrary(),
        Gen.Elements(Keys).ToArbitrary(),
        (modifiers, key) => KeyCombination.Parse(string.Join('+', [.. modifiers, key])).Value.Keysyms.Count == modifiers.Count + 1)
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_text_comes_it_parses_or_is_refused() => Prop.ForAll<string?>(
        text => KeyCombination.Parse(text ?? "") is { Succeeded: false } or { Value.Keysyms.Count: > 0 })
        .QuickCheckThrowOnFailure();
}
