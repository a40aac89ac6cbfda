using System.Text;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Input;

/// <summary>What is typed arrives in a real program: xterm, with cat behind it.</summary>
public sealed class TypingTests(Desk desk) : IClassFixture<Desk>
{
    private const string Mixed = "Grüße, naïve café — “quotes” €5 ½ ñ ß ø Ž; русский; ελληνικά; עברית; 日本語 漢字 かな カナ; 한국어; 中文字符; 😀🎉👩‍🚀 ∑∞≠ ☃";

    [Fact]
    public Task Plain_ascii_arrives() => Arrives(string.Concat(Enumerable.Range(0x20, 0x5f).Select(c => (char)c)), 0);

    [Fact]
    public Task Any_script_and_emoji_arrive() => Arrives(Mixed, 0);

    [Fact]
    public Task They_arrive_at_the_usual_pace_too() => Arrives(Mixed, 12);

    [Fact]
    public Task Two_thousand_characters_arrive() => Arrives(string.Concat(Enumerable.Repeat("The quick brown Fox, 123! ", 77)), 0);

    [Fact]
    public Task Many_different_characters_arrive_in_order() =>
        Arrives(string.Concat(Enumerable.Range(0, 300).Select(i => (char)(0x4e00 + (i * 7)))), 0);

    [Fact]
    public async Task Line_ends_and_tabs_are_keys()
    {
        using var terminal = await Terminal.OpenAsync(desk);
        await desk.Post("/type", ("text", "a\tb\r\nc\nd"), ("delay_ms", 0));

        Assert.Equal("a\tb\nc\nd", await terminal.ReadAsync("a\tb\nc\nd".Length));
    }

    [Fact]
    public async Task Caps_lock_changes_nothing()
    {
        using var terminal = await Terminal.OpenAsync(desk);
        await desk.Post("/key", ("key", "Caps_Lock"));
        await desk.Post("/type", ("text", "aBcD"), ("delay_ms", 0));
        await desk.Post("/key", ("key", "Caps_Lock"));

        Assert.Equal("aBcD", await terminal.ReadAsync(4));
    }

    [Fact]
    public async Task Two_clients_do_not_weave_their_text()
    {
        using var terminal = await Terminal.OpenAsync(desk);
        await Task.WhenAll(
            desk.Post("/type", ("text", new string('a', 40)), ("delay_ms", 2)),
            desk.Post("/type", ("text", new string('b', 40)), ("delay_ms", 2)));

        var text = await terminal.ReadAsync(80);
        Assert.True(text == new string('a', 40) + new string('b', 40) || text == new string('b', 40) + new string('a', 40), text);
    }

    [Fact]
    public async Task A_key_and_a_combination_reach_the_program()
    {
        using var terminal = await Terminal.OpenAsync(desk);
        foreach (var key in (string[])["a", "A", "Enter", "ctrl+a", "Up", "é", "shift+b", "plus"])
        {
            Assert.Equal(200, (await desk.Post("/key", ("key", key))).Status);
        }

        Assert.Equal("aA\n\u0001\u001b[AéB+", await terminal.ReadAsync("aA\n\u0001\u001b[AéB+".Length + 1));
    }

    [Fact]
    public async Task A_control_character_is_refused()
    {
        var (status, answer) = await desk.Post("/type", """{"text":"a\u0001b"}""");

        Assert.Equal((400, "text"), (status, answer.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task The_keyboard_is_given_back_as_it_was()
    {
        using var terminal = await Terminal.OpenAsync(desk);
        string Shell(string command) => desk.Post("/bash", ("command", command)).GetAwaiter().GetResult().Answer.GetProperty("output").GetString()!;
        string Map() => Shell("xmodmap -pke | md5sum");
        // What an earlier test typed may still be on the keys; xmodmap names such symbols by their code points.
        await Eventually.Is(() => Shell("xmodmap -pke | grep -cE '= .*U[0-9A-F]{4,5}( |$)'"), placed => placed == "0\n");
        var before = Map();
        await desk.Post("/type", ("text", "漢字"), ("delay_ms", 0));

        Assert.NotEqual(before, Map());
        Assert.Equal(before, await Eventually.Is(Map, map => map == before));
    }

    private async Task Arrives(string text, int delay)
    {
        using var terminal = await Terminal.OpenAsync(desk);
        var (status, answer) = await desk.Post("/type", ("text", text), ("delay_ms", delay));

        Assert.True(status == 200, answer.ToString());
        Assert.Equal(text.EnumerateRunes().Count(), answer.GetProperty("details").GetProperty("text_length").GetInt32());
        Assert.Equal(text, await terminal.ReadAsync(Encoding.UTF8.GetByteCount(text)));
    }
}
