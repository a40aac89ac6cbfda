using System.Buffers.Binary;
using System.IO.Compression;

namespace Carrel.Testbed;

/// <summary>
/// A decoded PNG. The decoder is the tests' own (8-bit RGB and RGBA, all filters), so that the encoder in deskd is not
/// checked by itself.
/// </summary>
public sealed class Picture
{
    private readonly byte[] _pixels;
    private readonly int _channels;

    private Picture(int width, int height, int channels, byte[] pixels)
        => (Width, Height, _channels, _pixels) = (width, height, channels, pixels);

    public int Width { get; }

    public int Height { get; }

    public (byte R, byte G, byte B) this[int x, int y]
    {
        get
        {
            var at = (y * Width + x) * _channels;
            return (_pixels[at], _pixels[at + 1], _pixels[at + 2]);
        }
    }

    /// <summary>How many different colours a region has: a painted desktop has many, an empty one has one.</summary>
    public int Colours(int left, int top, int width, int height)
    {
        var seen = new HashSet<(byte, byte, byte)>();
        for (var y = top; y < top + height; y++)
        {
            for (var x = left; x < left + width; x++)
            {
                seen.Add(this[x, y]);
            }
        }

        return seen.Count;
    }

    public int Count((byte R, byte G, byte B) colour)
    {
        var count = 0;
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                count += this[x, y] == colour ? 1 : 0;
            }
        }

        return count;
    }

    public static Picture FromPng(byte[] png)
    {
        if (!png.AsSpan(0, 8).SequenceEqual((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        {
            throw new InvalidDataException("not a PNG");
        }

        var (width, height, channels) = (0, 0, 0);
        using var data = new MemoryStream();
        for (var at = 8; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            var type = System.Text.Encoding.ASCII.GetString(png, at + 4, 4);
            var body = png.AsSpan(at + 8, length);
            if (type == "IHDR")
            {
                width = BinaryPrimitives.ReadInt32BigEndian(body);
                height = BinaryPrimitives.ReadInt32BigEndian(body[4..]);
                channels = (body[8], body[9]) switch { (8, 2) => 3, (8, 6) => 4, _ => throw new InvalidDataException("unexpected PNG type") };
            }
            else if (type == "IDAT")
            {
                data.Write(body);
            }

            at += length + 12;
        }

        data.Position = 0;
        using var inflate = new ZLibStream(data, CompressionMode.Decompress);
        var stride = width * channels;
        var pixels = new byte[stride * height];
        var (line, previous) = (new byte[stride], new byte[stride]);
        for (var y = 0; y < height; y++)
        {
            var filter = inflate.ReadByte();
            inflate.ReadExactly(line);
            Unfilter(filter, line, previous, channels);
            line.CopyTo(pixels, y * stride);
            (line, previous) = (previous, line);
        }

        return new Picture(width, height, channels, pixels);
    }

    private static void Unfilter(int filter, byte[] line, byte[] above, int channels)
    {
        for (var i = 0; i < line.Length; i++)
        {
            var left = i >= channels ? line[i - channels] : 0;
            var corner = i >= channels ? above[i - channels] : 0;
            line[i] += (byte)(filter switch
            {
                0 => 0,
                1 => left,
                2 => above[i],
                3 => (left + above[i]) / 2,
                4 => Paeth(left, above[i], corner),
                _ => throw new InvalidDataException($"unknown PNG filter {filter}"),
            });
        }
    }

    private static int Paeth(int a, int b, int c)
    {
        var (pa, pb, pc) = (Math.Abs(b - c), Math.Abs(a - c), Math.Abs(a + b - c - c));
        return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    }
}
