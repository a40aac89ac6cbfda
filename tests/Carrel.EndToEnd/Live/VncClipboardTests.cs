using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

public sealed class VncClipboardTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    private readonly Computer _computer = shared.Computer;

    [Theory]
    [InlineData(false, "Grüße von außen")]
    [InlineData(true, "Grüße, мир, 世界 🎉")]
    public async Task What_a_viewer_copies_can_be_pasted_inside(bool extended, string text)
    {
        using var viewer = await VncClient.ConnectAsync(shared.Installation, _computer, extended);
        var copying = viewer.CopyAsync(text);

        // With the extended clipboard the server fetches the text when somebody pastes.
        await Computer.UntilAsync(async () => await _computer.BashAsync("DISPLAY=:99 timeout 5 xclip -selection clipboard -o || true") == text, "the text is on the clipboard");
        await copying;
        Assert.Equal(text, (await shared.Api.GetAsync($"{_computer.Path}/clipboard")).Text("content"));
    }

    [Theory]
    [InlineData(false, "Grüße von innen")]
    [InlineData(true, "Grüße, мир, 世界 🎉🚀")]
    public async Task What_is_put_or_copied_inside_reaches_a_viewer(bool extended, string text)
    {
        using var viewer = await VncClient.ConnectAsync(shared.Installation, _computer, extended);
        var pasted = NextAsync(viewer, text + " put");
        await shared.Api.SendAsync(HttpMethod.Put, $"{_computer.Path}/clipboard", new { content = text + " put" });
        await pasted;

        pasted = NextAsync(viewer, text + " copied");
        await _computer.BashAsync($"printf '%s copied' '{text}' | DISPLAY=:99 xclip -selection clipboard >/dev/null 2>&1");
        await pasted;
    }

    /// <summary>Reads on until a text comes; what was copied before the viewer came may come first.</summary>
    private static async Task NextAsync(VncClient viewer, string text)
    {
        while (await viewer.PastedAsync() != text)
        {
        }
    }
}
