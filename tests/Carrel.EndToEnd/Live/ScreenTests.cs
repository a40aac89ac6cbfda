using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

public sealed class ScreenTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    private static readonly (byte, byte, byte) Marked = (0x12, 0x34, 0x56);

    [Fact]
    public async Task A_second_screen_is_used_beside_the_first()
    {
        var computer = shared.Computer;
        var added = Api.Expect(await shared.Api.PostAsync($"{computer.Path}/screens", new { width = 1024, height = 768 }), HttpStatusCode.Created);
        Assert.Equal(("screen-100", ":100"), (added.Text("id"), added.Text("display")));
        await computer.BashAsync("""
            DISPLAY=:100 setsid xfce4-terminal --disable-server --title=second --color-bg='#123456' --geometry=90x25 -x sh -c 'cat > /root/second.txt' > /dev/null 2>&1 &
            for i in $(seq 200); do w=$(DISPLAY=:100 xdotool search --onlyvisible --name '^second$') && DISPLAY=:100 xdotool windowactivate --sync $w && exit 0; sleep 0.05; done; exit 1
            """);
        await computer.DoAsync("type?screen=screen-100", new { text = "typed on the second screen" });
        await computer.DoAsync("key?screen=screen-100", new { key = "Enter" });
        await computer.DoAsync("key?screen=screen-100", new { key = "ctrl+d" });
        await Computer.UntilAsync(async () => await computer.BashAsync("cat /root/second.txt") == "typed on the second screen\n", "the keys arrived in the terminal");

        // It closed with its program; another shows what the pictures are of.
        await computer.BashAsync("""
            DISPLAY=:100 setsid xfce4-terminal --disable-server --title=shown --color-bg='#123456' --geometry=90x25 -x sleep 600 > /dev/null 2>&1 &
            for i in $(seq 200); do DISPLAY=:100 xdotool search --onlyvisible --name '^shown$' && exit 0; sleep 0.05; done; exit 1
            """);
        await Computer.UntilAsync(async () => (await PictureAsync("screen-100")).Count(Marked) > 50_000, "the terminal is painted");
        var second = await PictureAsync("screen-100");
        Assert.Equal((1024, 768), (second.Width, second.Height));
        Assert.True((await PictureAsync("default")).Count(Marked) < 100);

        var password = computer.Created["vnc_password"]!.GetValue<string>();
        await using (var viewer = await RfbClient.ConnectAsync(shared.Installation.Address, computer.InstanceId, password, password, query: "&screen=screen-100"))
        {
            Assert.Equal((1024, 768), (viewer.Width, viewer.Height));
            await viewer.RequestAsync(incremental: false);
            await viewer.ReadUpdateAsync();
            Assert.True(Enumerable.Range(0, viewer.Width).Sum(x => Enumerable.Range(0, viewer.Height).Count(y => viewer[x, y] == Marked)) > 50_000);
        }

        Api.Expect(await shared.Api.DeleteAsync($"{computer.Path}/screens/screen-100"), HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.NotFound, (await shared.Api.PostAsync($"{computer.Path}/key?screen=screen-100", new { key = "a" })).Status);
        Assert.Equal("1\n", await computer.BashAsync("pgrep -xc Xvnc"));
    }

    [Fact]
    public async Task The_first_screen_cannot_be_deleted()
        => Assert.Equal(HttpStatusCode.BadRequest, (await shared.Api.DeleteAsync($"{shared.Computer.Path}/screens/default")).Status);

    private async Task<Picture> PictureAsync(string screen) =>
        Picture.FromPng(await shared.Api.BytesAsync($"{shared.Computer.Path}/screenshot?response_format=binary&format=png&screen={screen}"));
}
