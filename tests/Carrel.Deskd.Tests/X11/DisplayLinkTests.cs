using Carrel.Deskd.Tests.World;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Tests.X11;

public sealed class DisplayLinkTests
{
    [Fact]
    public async Task A_link_waits_for_its_server_and_finds_the_next_one()
    {
        var first = new XServer();
        var link = new DisplayLink(first.Display);
        link.Start();
        var before = await Eventually.Is(() => link.Current, display => display is not null);
        Assert.NotNull(before);

        first.Dispose();
        Assert.Null(await Eventually.Is(() => link.Current, display => display is null));
        await Assert.ThrowsAsync<XDisconnectedException>(before.SyncAsync);

        using var second = new XServer(800, 600, first.Display);
        var after = await Eventually.Is(() => link.Current, display => display is not null);
        Assert.Equal((800, 600), after?.Size);
    }

    [Theory]
    [InlineData(":99", 99)]
    [InlineData(":7.0", 7)]
    [InlineData("unix:3", 3)]
    public void A_display_has_a_number(string display, int number) => Assert.Equal(number, XSocket.Number(display));

    [Fact]
    public void Another_form_is_told() => Assert.Throws<FormatException>(() => XSocket.Number("somewhere"));
}
