using System.Text.Json;
using Carrel.Contracts.Files;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Files;

public sealed class HomeTests(Desk desk) : IClassFixture<Desk>, IAsyncDisposable
{
    private readonly FileSystem _fs = new(desk);

    public ValueTask DisposeAsync() => _fs.DisposeAsync();

    [Theory]
    [InlineData("report.txt")]
    [InlineData("./report.txt")]
    [InlineData("~/report.txt")]
    [InlineData("{home}/report.txt")]
    [InlineData("~/link")]
    [InlineData("/home/user/report.txt")]
    public async Task An_export_takes_every_way_to_name_a_file_at_home(string path)
    {
        await File.WriteAllTextAsync(Path.Combine(desk.Home, "report.txt"), "the report", TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(desk.Home, "link"));
        File.CreateSymbolicLink(Path.Combine(desk.Home, "link"), "report.txt");

        using var answer = await desk.Host.PostAsync(
            "/files/export", new StringContent(JsonSerializer.Serialize(new { path = path.Replace("{home}", desk.Home, StringComparison.Ordinal) })), TestContext.Current.CancellationToken);

        Assert.Equal((200, "the report"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    [Theory]
    [InlineData("/etc/passwd", 403, "access_denied")]
    [InlineData("~/../../etc/passwd", 404, "not_found")]
    [InlineData("outside", 403, "access_denied")]
    [InlineData("folder", 400, "is_a_directory")]
    [InlineData("none", 404, "not_found")]
    [InlineData("pipe", 409, "not_a_file")]
    public async Task An_export_stays_at_home(string path, int status, string code)
    {
        await desk.Shell($"cd {desk.Home} && ln -sfn /etc/passwd outside && mkdir -p folder && (test -p pipe || mkfifo pipe)");

        var (got, answer) = await desk.Post("/files/export", ("path", path));

        Assert.Equal((status, code), (got, answer.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task What_is_put_on_the_desktop_never_replaces_anything()
    {
        foreach (var (text, expected) in new[] { ("1", "größe.tar"), ("2", "größe (2).tar"), ("3", "größe (3).tar") })
        {
            var (status, answer) = await _fs.JsonAsync(HttpMethod.Put, "/files/desktop?name=gr%C3%B6%C3%9Fe.tar", new StringContent(text));

            Assert.Equal((201, $"{desk.Home}/Desktop/{expected}"), (status, answer.GetProperty("path").GetString()));
            Assert.Equal(text, await File.ReadAllTextAsync($"{desk.Home}/Desktop/{expected}", TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("..")]
    [InlineData("a%00b")]
    [InlineData("")]
    public async Task A_name_for_the_desktop_is_a_name(string name) =>
        Assert.Equal(400, (await _fs.JsonAsync(HttpMethod.Put, $"/files/desktop?name={name}", new StringContent("x"))).Status);

    [Theory]
    [InlineData("plain.txt", "plain.txt")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("C:\\dir\\file.doc", "file.doc")]
    [InlineData("..", "file")]
    [InlineData("", "file")]
    [InlineData(null, "file")]
    [InlineData("a\u0000b\nc\u007f.txt", "abc.txt")]
    [InlineData(" 世界 🎉.png ", "世界 🎉.png")]
    public void A_strangers_name_is_made_harmless(string? name, string expected) => Assert.Equal(expected, FileNames.Clean(name));

    [Fact]
    public void A_name_too_long_is_cut_between_letters_and_keeps_its_extension()
    {
        var clean = FileNames.Clean(new string('世', 200) + ".tar");

        Assert.Equal(new string('世', 83) + ".tar", clean);
        Assert.Equal(new string('世', 82) + " (12).tar", FileNames.Copy(clean, 12));
    }
}
