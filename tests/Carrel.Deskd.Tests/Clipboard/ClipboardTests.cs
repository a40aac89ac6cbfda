using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Carrel.Contracts.Clipboard;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Clipboard;

/// <summary>The clipboard as other programs see it: xclip, a client of another maker.</summary>
public sealed class ClipboardTests(Desk desk) : IClassFixture<Desk>
{
    private const string Unicode = "Grüße, мир, 世界 🎉\n\ttabs \"and\" quotes\n";

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(131_072)]
    [InlineData(400_000)]
    [InlineData(ClipboardLimits.ContentBytes)]
    public async Task What_is_put_is_what_programs_paste(int length)
    {
        var text = Text(length);

        Assert.Equal(200, await PutAsync(text));

        Assert.Equal(text, await PasteAsync("UTF8_STRING"));
        Assert.Equal(text, (await GetAsync()).GetProperty("content").GetString());
    }

    [Fact]
    public async Task Text_is_offered_in_the_forms_programs_ask_for()
    {
        Assert.Equal(200, await PutAsync(Unicode));

        var targets = (await PasteAsync("TARGETS")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["TARGETS", "TIMESTAMP", "UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "TEXT", "STRING"], targets);
        Assert.Equal(Unicode, await PasteAsync("text/plain;charset=utf-8"));
        Assert.StartsWith("Gr", await PasteAsync("STRING"), StringComparison.Ordinal);
        Assert.NotEqual("", await PasteAsync("TIMESTAMP"));
        await desk.Shell("! xclip -selection clipboard -o -t image/png");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(900_000)]
    public async Task What_a_program_copied_can_be_read(int length)
    {
        var text = Text(length);
        await desk.CopyAsync(text);

        var answer = await GetAsync();

        Assert.Equal((text, "text/plain"), (answer.GetProperty("content").GetString(), answer.GetProperty("content_type").GetString()));
        Assert.False(answer.TryGetProperty("truncated", out _));
    }

    [Fact]
    public async Task Text_beyond_the_cap_is_cut_between_characters_and_said_so()
    {
        await desk.CopyAsync("x" + string.Concat(Enumerable.Repeat("世", 400_000)));

        var answer = await GetAsync();

        Assert.True(answer.GetProperty("truncated").GetBoolean());
        Assert.Equal("x" + string.Concat(Enumerable.Repeat("世", (ClipboardLimits.ContentBytes - 1) / 3)), answer.GetProperty("content").GetString());
    }

    [Fact]
    public async Task A_picture_is_named_by_its_type()
    {
        var file = Path.Combine(desk.Folder, "picture");
        await File.WriteAllTextAsync(file, "no real picture");
        await desk.Shell($"xclip -selection clipboard -t image/png {file} >/dev/null 2>&1; until xclip -selection clipboard -o -t TARGETS | grep -q image/png; do :; done");

        var answer = await GetAsync();

        Assert.Equal(("", "image/png"), (answer.GetProperty("content").GetString(), answer.GetProperty("content_type").GetString()));
    }

    [Fact]
    public async Task Whoever_copies_last_has_the_clipboard()
    {
        await PutAsync("ours");
        await desk.CopyAsync("theirs");
        Assert.Equal("theirs", (await GetAsync()).GetProperty("content").GetString());

        await PutAsync("first");
        await PutAsync("second");
        Assert.Equal("second", await PasteAsync("UTF8_STRING"));
    }

    [Fact]
    public async Task The_marked_text_stays_marked()
    {
        await desk.Shell("echo -n marked | xclip -selection primary >/dev/null 2>&1; until test \"$(xclip -selection primary -o)\" = marked; do :; done");

        await PutAsync("copied");

        await desk.Shell("test \"$(xclip -selection primary -o)\" = marked");
    }

    [Fact]
    public async Task A_text_too_long_is_refused()
    {
        var (status, answer) = await PutAnswerAsync(new string('x', ClipboardLimits.ContentBytes + 1));

        Assert.Equal((413, "payload_too_large"), (status, answer.GetProperty("code").GetString()));
    }

    [Theory]
    [InlineData("{}", "missing_field")]
    [InlineData("""{"content":7}""", "invalid_field")]
    [InlineData("[]", "invalid_json")]
    public async Task What_is_wrong_is_told(string body, string code)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await desk.Host.PutAsync("/clipboard", content);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(code, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    private static string Text(int length) => length <= 5 ? Unicode[..length] : string.Concat(Enumerable.Range(0, length / 8).Select(i => $"{i:x7}\n"));

    private async Task<int> PutAsync(string text) => (await PutAnswerAsync(text)).Status;

    private async Task<(int Status, JsonElement Answer)> PutAnswerAsync(string text)
    {
        using var content = JsonContent.Create(new Dictionary<string, string> { ["content"] = text });
        using var response = await desk.Host.PutAsync("/clipboard", content);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private async Task<JsonElement> GetAsync() => await desk.Host.GetFromJsonAsync<JsonElement>("/clipboard");

    private async Task<string> PasteAsync(string target)
    {
        var file = Path.Combine(desk.Folder, "pasted");
        await desk.Shell($"xclip -selection clipboard -o -t '{target}' > {file}");
        return await File.ReadAllTextAsync(file);
    }
}
