using System.Runtime.Intrinsics;

namespace Carrel.Deskd.Screen;

/// <summary>
/// Makes a picture smaller by area averaging: each target pixel is the mean of the source area it covers, edge pixels
/// weighted by the part that is covered, so that thin lines and small text fade instead of vanishing.
/// </summary>
internal static unsafe class Downscaler
{
    public static Frame Scale(Frame source, double scale)
    {
        var width = Math.Max(1, (int)Math.Round(source.Width * scale));
        var height = Math.Max(1, (int)Math.Round(source.Height * scale));
        var buffer = new NativeBuffer(width * height * 4);
        using var rowSums = new NativeBuffer(source.Width * 16);
        var sums = (Vector128<float>*)rowSums.Pointer;
        var columns = (double)source.Width / width;
        var rows = (double)source.Height / height;
        for (var y = 0; y < height; y++)
        {
            SumRows(source, sums, y * rows, (y + 1) * rows);
            AverageColumns(sums, source.Width, (uint*)(buffer.Pointer + (y * width * 4)), width, columns, (float)(1 / (columns * rows)));
        }

        return new Frame(buffer.Pointer, width, height, buffer);
    }

    private static void SumRows(Frame source, Vector128<float>* sums, double top, double bottom)
    {
        new Span<Vector128<float>>(sums, source.Width).Clear();
        for (var y = (int)top; y < bottom && y < source.Height; y++)
        {
            var weight = Vector128.Create((float)(Math.Min(bottom, y + 1) - Math.Max(top, y)));
            var row = (uint*)(source.Pixels + (y * source.Stride));
            for (var x = 0; x < source.Width; x++)
            {
                sums[x] += Unpack(row[x]) * weight;
            }
        }
    }

    private static void AverageColumns(Vector128<float>* sums, int sourceWidth, uint* target, int width, double columns, float share)
    {
        for (var x = 0; x < width; x++)
        {
            var (left, right) = (x * columns, (x + 1) * columns);
            var sum = Vector128<float>.Zero;
            for (var s = (int)left; s < right && s < sourceWidth; s++)
            {
                sum += sums[s] * (float)(Math.Min(right, s + 1) - Math.Max(left, s));
            }

            var mean = Vector128.ConvertToInt32((sum * share) + Vector128.Create(0.5f));
            target[x] = (uint)(Math.Min(mean[0], 255) | (Math.Min(mean[1], 255) << 8) | (Math.Min(mean[2], 255) << 16));
        }
    }

    private static Vector128<float> Unpack(uint pixel)
    {
        var bytes = Vector128.CreateScalar(pixel).AsByte();
        return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32());
    }
}
