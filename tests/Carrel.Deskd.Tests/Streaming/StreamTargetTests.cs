using System.Text;
using Carrel.Deskd.Native;
using Carrel.Deskd.Streaming;

namespace Carrel.Deskd.Tests.Streaming;

public sealed class StreamTargetTests
{
    [Theory]
    [InlineData("rtmp://a.example/live2", "k-1", "rtmp://a.example", "live2", "k-1")]
    [InlineData("rtmps://a.example:443/app/inner/", "k", "rtmps://a.example:443", "app/inner", "k")]
    [InlineData("rtmp://a.example/live/stream?token=x", "", "rtmp://a.example", "live", "stream?token=x")]
    [InlineData("rtmp://a.example/live", "", "rtmp://a.example", "live", "")]
    public void Application_and_key_are_told_apart_from_the_host(string url, string key, string shown, string application, string playPath)
    {
        var target = StreamTarget.Parse(url, key)!;

        Assert.Equal((shown, application, playPath), (target.ToString(), target.Application, target.Key));
        Assert.Equal(shown, target.Output.Last());
    }

    [Theory]
    [InlineData("k\nrtmp_live=live")]
    [InlineData("k k")]
    public void A_key_that_would_be_more_than_a_key_is_none(string key) => Assert.Null(StreamTarget.Parse("rtmp://a.example/live", key));

    [Fact]
    public void What_ffmpeg_complains_of_is_told_without_the_key()
    {
        var log = new FfmpegLog("Se same");
        using var pipe = new Pipe();
        Write(pipe, "[info]   Duration: N/A, start: 1795330507.359728, bitrate: N/A\n[flv @ 0x55] [error] no Se same, no Se%20same\n[warning] quiet\n[fatal] it is ove");
        log.Fill(pipe.Read);
        Write(pipe, "r\n");
        log.Fill(pipe.Read);

        Assert.Equal("no ***, no ***; it is over", log.LastWords);
        Assert.Equal(1795330507359, log.Zero!.Value.ToUnixTimeMilliseconds());
    }

    private static unsafe void Write(Pipe pipe, string text)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(text))
        {
            Assert.Equal(text.Length, (int)Libc.write(pipe.Write.Fd, bytes, text.Length));
        }
    }
}
