using System.Buffers.Binary;
using Carrel.Server.Realtime;
using Carrel.Server.Tests.Fakes;
using Xunit;
using static Carrel.Server.Tests.Fakes.Sockets;

namespace Carrel.Server.Tests;

public sealed class ViewOnlyRfbTests
{
    private static readonly byte[] PixelFormat = [0, 0, 0, 0, .. Enumerable.Range(1, 16).Select(number => (byte)number)];
    private static readonly byte[] Encodings = [2, 0, 0, 2, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0x11];
    private static readonly byte[] Update = [3, 1, 0, 0, 0, 0, 5, 0, 2, 0xd0];
    private static readonly byte[] Continuous = [150, 1, 0, 0, 0, 0, 5, 0, 2, 0xd0];
    private static readonly byte[] Fence = [248, 0, 0, 0, 0, 0, 0, 1, 4, 9, 9, 9, 9];
    private static readonly byte[] Key = [4, 1, 0, 0, 0, 0, 0, 0x61];
    private static readonly byte[] Pointer = [5, 1, 0, 10, 0, 10];
    private static readonly byte[] CutText = [6, 0, 0, 0, 0, 0, 0x13, 0x88, .. new byte[5000]];
    private static readonly byte[] ExtendedCutText = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0, 0, 0, 1, 3, 3, 3, 3];
    private static readonly byte[] DesktopSize = [251, 0, 4, 0, 3, 0, 1, 0, .. new byte[16]];
    private static readonly byte[] ExtendedKey = [255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30];

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public async Task What_asks_for_pictures_goes_on_and_what_touches_does_not(int piece)
    {
        var (viewer, server) = await OpenAsync();
        var told = await GreetAsync(viewer);
        Assert.Equal([1, 1, 0, 0, 0, 0], told);
        Assert.Equal([1], await server.ReadAsync(1)); // Shared, though it asked to be alone.

        byte[] sent = [
            .. PixelFormat, .. Key, .. Encodings, .. Pointer, .. CutText, .. Update, .. ExtendedCutText, .. Fence, .. DesktopSize, .. ExtendedKey, .. Continuous,
            .. Key, .. Pointer, 250, 0, 1, 2, .. Update];
        foreach (var part in sent.Chunk(piece))
        {
            await viewer.WriteAsync(part);
        }

        byte[] passed = [.. PixelFormat, .. Encodings, .. Update, .. Fence, .. Continuous, .. Update];
        Assert.Equal(passed, await server.ReadAsync(passed.Length));
        await server.Stream.WriteAsync("a picture"u8.ToArray());
        var seen = new byte[9];
        await viewer.ReadExactlyAsync(seen);
        Assert.Equal("a picture"u8.ToArray(), seen);
    }

    [Theory]
    [InlineData("63000000")]
    [InlineData("ff010000")]
    [InlineData("0200ffff")]
    [InlineData("060000007fffffff")]
    [InlineData("0600000080000000")]
    public async Task A_message_of_unknown_length_ends_it(string message)
    {
        var (viewer, _) = await OpenAsync();
        await GreetAsync(viewer);

        await Assert.ThrowsAsync<IOException>(async () => await viewer.WriteAsync(Convert.FromHexString(message)));
    }

    [Fact]
    public async Task A_server_that_takes_no_password_of_ours_is_refused()
    {
        await Assert.ThrowsAsync<IOException>(() => OpenAsync(types: [1, 1]));
        await Assert.ThrowsAsync<IOException>(() => OpenAsync(result: 1));
    }

    [Fact]
    public async Task A_viewer_opens_the_sockets_that_show_and_not_those_that_touch()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();
        var workspace = (await server.GetAsync($"/api/computers/{id}")).Text("workspace_id");
        var (_, viewer) = await server.MemberAsync(workspace, "viewer", "viewer");
        var (_, stranger) = await server.UserAsync("stranger");

        await AssertClosedAsync(server, $"/desktops/{id}/ws/terminal?token={KeyOf(viewer)}", 4401);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/terminal?token={KeyOf(stranger)}", 4404);
        await AssertClosedAsync(server, $"/desktops/{id}/ws/websockify?token={KeyOf(stranger)}", 4404);
        (await server.GetAsync($"/desktops/{id}/ports/8000/?token={KeyOf(viewer)}", server.Anonymous)).ExpectError(403, "access_denied");
        (await server.GetAsync($"/desktops/{id}/ports/8000/?token={KeyOf(stranger)}", server.Anonymous)).ExpectError(404, "not_found");
    }

    private static string KeyOf(HttpClient client) => client.DefaultRequestHeaders.Authorization!.Parameter!;

    private static async Task<byte[]> GreetAsync(ViewOnlyRfb viewer)
    {
        var version = new byte[12];
        await viewer.ReadExactlyAsync(version);
        Assert.Equal("RFB 003.008\n"u8.ToArray(), version);
        await viewer.WriteAsync(version);
        var told = new byte[6];
        await viewer.ReadExactlyAsync(told.AsMemory(0, 2));
        await viewer.WriteAsync(new byte[] { 1 });
        await viewer.ReadExactlyAsync(told.AsMemory(2, 4));
        await viewer.WriteAsync(new byte[] { 0 });
        return told;
    }

    /// <summary>A viewer's end, and a server that asked for a password and got an answer.</summary>
    private static async Task<(ViewOnlyRfb Viewer, FakeServer Server)> OpenAsync(byte[]? types = null, int result = 0)
    {
        var (ours, theirs) = DuplexStream.Pair();
        var server = new FakeServer(theirs);
        var opening = ViewOnlyRfb.OpenAsync(ours, "0123456789abcdef", CancellationToken.None);
        await theirs.WriteAsync("RFB 003.008\n"u8.ToArray());
        await server.ReadAsync(12);
        await theirs.WriteAsync(types ?? [2, 1, 2]);
        if (types is null)
        {
            Assert.Equal([2], await server.ReadAsync(1));
            await theirs.WriteAsync(new byte[16]);
            Assert.Equal(16, (await server.ReadAsync(16)).Length);
            var told = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(told, result);
            await theirs.WriteAsync(told);
        }

        return (await opening, server);
    }

    private sealed record FakeServer(DuplexStream Stream)
    {
        public async Task<byte[]> ReadAsync(int count)
        {
            var bytes = new byte[count];
            await Stream.ReadExactlyAsync(bytes);
            return bytes;
        }
    }
}
