using Carrel.Deskd.Screen;
using FsCheck;
using FsCheck.Fluent;

namespace Carrel.Deskd.Tests.Screen;

public sealed class EncoderTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 7)]
    [InlineData(17, 9)]
    [InlineData(640, 33)]
    public void A_png_holds_every_pixel(int width, int height)
    {
        using var frame = Pictures.Noise(width, height, seed: width);
        using var encoded = PngEncoder.Encode(frame);

        var decoded = new PngDecoder(encoded.Bytes);
        Assert.Equal((width, height), (decoded.Width, decoded.Height));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                Assert.Equal(Pictures.At(frame, x, y), decoded[x, y]);
            }
        }
    }

    [Fact]
    public void Any_size_of_png_comes_back() => Prop.ForAll(
        Gen.Choose(1, 70).ToArbitrary(),
        Gen.Choose(1, 40).ToArbitrary(),
        (width, height) =>
        {
            using var frame = Pictures.Noise(width, height, seed: height);
            using var encoded = PngEncoder.Encode(frame);
            var decoded = new PngDecoder(encoded.Bytes);
            return decoded[width - 1, height - 1] == Pictures.At(frame, width - 1, height - 1);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Half_the_size_is_the_mean_of_four()
    {
        using var frame = Pictures.Of(4, 2, (x, y) => (byte)((x * 10) + (y * 100)));
        using var half = Downscaler.Scale(frame, 0.5);

        Assert.Equal((2, 1), (half.Width, half.Height));
        Assert.Equal(((byte)55, (byte)55, (byte)55), Pictures.At(half, 0, 0));
        Assert.Equal(((byte)75, (byte)75, (byte)75), Pictures.At(half, 1, 0));
    }

    [Fact]
    public void A_plain_picture_stays_plain_at_any_scale() => Prop.ForAll(Gen.Choose(10, 99).ToArbitrary(), percent =>
    {
        using var frame = Pictures.Of(97, 53, (_, _) => 200);
        using var small = Downscaler.Scale(frame, percent / 100.0);
        return Enumerable.Range(0, small.Width).All(x => Pictures.At(small, x, small.Height - 1) == (200, 200, 200));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Jpeg_and_webp_have_their_signatures_and_obey_quality()
    {
        using var frame = Pictures.Noise(64, 64, seed: 1);
        using var jpeg = JpegEncoder.Encode(frame, 90);
        using var small = JpegEncoder.Encode(frame, 10);
        using var webp = WebpEncoder.Encode(frame, 80);

        Assert.Equal([0xff, 0xd8, 0xff], jpeg.Bytes[..3].ToArray());
        Assert.True(small.Size < jpeg.Size);
        Assert.Equal("RIFF"u8.ToArray(), webp.Bytes[..4].ToArray());
        Assert.Equal("WEBP"u8.ToArray(), webp.Bytes.Slice(8, 4).ToArray());
    }
}
