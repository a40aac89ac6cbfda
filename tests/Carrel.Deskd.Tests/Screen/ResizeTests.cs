using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Screen;

public sealed class ResizeTests(Desk desk) : IClassFixture<Desk>
{
    [Theory]
    [InlineData(1024, 768)]
    [InlineData(1366, 768)]
    [InlineData(801, 601)]
    public async Task The_screen_takes_the_size_of_the_identity(int width, int height)
    {
        using var told = await desk.Identify(width, height);
        var picture = new PngDecoder(await desk.Host.GetByteArrayAsync("/screenshot?response_format=binary", TestContext.Current.CancellationToken));

        Assert.Equal((width, height), (picture.Width, picture.Height));
        var (status, _) = await desk.Post("/mouse_move", ("x", width - 1), ("y", height - 1));
        Assert.Equal(200, status);
        (status, _) = await desk.Post("/mouse_move", ("x", width), ("y", 0));
        Assert.Equal(400, status);
    }
}
