using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Screen;

/// <summary>
/// Writes 8-bit RGB PNG. libdeflate at its fastest level does nearly all the work (docs/deskd.md compares levels and
/// filters).
/// </summary>
internal static unsafe class PngEncoder
{
    private const int CompressionLevel = 1;
    private const byte FilterNone = 0;
    private const byte FilterUp = 2;

    public static EncodedPicture Encode(Frame frame)
    {
        var rowBytes = (frame.Width * 3) + 1;
        // The conversion writes 16 bytes at a time, hence the slack at the end.
        using var filtered = new NativeBuffer((rowBytes * frame.Height) + 16);
        Filter(frame, filtered.Pointer, rowBytes);

        var compressor = Deflate.libdeflate_alloc_compressor(CompressionLevel);
        try
        {
            var size = (nuint)(rowBytes * frame.Height);
            var bound = (int)Deflate.libdeflate_zlib_compress_bound(compressor, size);
            var output = new NativeBuffer(bound + 64);
            var head = WriteHead(output.Pointer, frame.Width, frame.Height);
            var compressed = (int)Deflate.libdeflate_zlib_compress(
                compressor, filtered.Pointer, size, output.Pointer + head + 8, (nuint)bound);
            var end = head + EndChunk(output.Pointer + head, "IDAT"u8, compressed);
            end += EndChunk(output.Pointer + end, "IEND"u8, 0);
            return new EncodedPicture(output, end, PictureFormat.Png, frame.Width, frame.Height);
        }
        finally
        {
            Deflate.libdeflate_free_compressor(compressor);
        }
    }

    private static int WriteHead(byte* output, int width, int height)
    {
        ReadOnlySpan<byte> signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];
        signature.CopyTo(new Span<byte>(output, 8));
        var header = new Span<byte>(output + 16, 13);
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        ReadOnlySpan<byte> eightBitRgb = [8, 2, 0, 0, 0];
        eightBitRgb.CopyTo(header[8..]);
        return 8 + EndChunk(output + 8, "IHDR"u8, 13);
    }

    /// <summary>Completes a chunk whose <paramref name="size"/> bytes of data already stand at offset 8; returns its whole length.</summary>
    private static int EndChunk(byte* chunk, ReadOnlySpan<byte> type, int size)
    {
        BinaryPrimitives.WriteInt32BigEndian(new Span<byte>(chunk, 4), size);
        type.CopyTo(new Span<byte>(chunk + 4, 4));
        var crc = Deflate.libdeflate_crc32(0, chunk + 4, (nuint)(size + 4));
        BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(chunk + 8 + size, 4), crc);
        return size + 12;
    }

    /// <summary>
    /// Rows of drawn things (text, windows, plain areas) go as they are: deflate finds their repetitions itself, and
    /// faster than in differences. Rows of a photograph, where neighbours are alike and seldom the same, go as differences to
    /// the row above.
    /// </summary>
    private static void Filter(Frame frame, byte* output, int rowBytes)
    {
        using var rows = new NativeBuffer((rowBytes + 32) * 2);
        for (var y = 0; y < frame.Height; y++, output += rowBytes)
        {
            var row = frame.Pixels + (y * frame.Stride);
            if (y == 0 || LooksDrawn(row, frame.Width))
            {
                output[0] = FilterNone;
                ToRgb(row, output + 1, frame.Width);
                continue;
            }

            output[0] = FilterUp;
            var above = rows.Pointer + rowBytes + 32;
            ToRgb(row, rows.Pointer, frame.Width);
            ToRgb(row - frame.Stride, above, frame.Width);
            Subtract(rows.Pointer, above, output + 1, rowBytes - 1);
        }
    }

    /// <summary>Whether at least a third of the pixels are the same as the one to their left.</summary>
    private static bool LooksDrawn(byte* row, int width)
    {
        var pixels = (uint*)row;
        var same = Vector128<uint>.Zero;
        for (var x = 1; x + 4 <= width; x += 4)
        {
            same -= Vector128.Equals(Vector128.Load(pixels + x), Vector128.Load(pixels + x - 1));
        }

        return Vector128.Sum(same) * 3 >= width - 4;
    }

    private static void ToRgb(byte* source, byte* target, int width)
    {
        var order = Vector128.Create((byte)2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 255, 255, 255, 255);
        var x = 0;
        for (; x + 4 <= width; x += 4)
        {
            Vector128.Shuffle(Vector128.Load(source + (x * 4)), order).Store(target + (x * 3));
        }

        for (; x < width; x++)
        {
            target[x * 3] = source[(x * 4) + 2];
            target[(x * 3) + 1] = source[(x * 4) + 1];
            target[(x * 3) + 2] = source[x * 4];
        }
    }

    /// <summary>May write up to 15 bytes past the end; the next row, or the slack, takes them.</summary>
    private static void Subtract(byte* current, byte* previous, byte* target, int count)
    {
        for (var i = 0; i < count; i += 16)
        {
            (Vector128.Load(current + i) - Vector128.Load(previous + i)).Store(target + i);
        }
    }
}
