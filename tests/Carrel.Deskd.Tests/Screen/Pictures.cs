using Carrel.Deskd.Screen;

namespace Carrel.Deskd.Tests.Screen;

internal static unsafe class Pictures
{
    public static Frame Noise(int width, int height, int seed)
    {
        var buffer = new NativeBuffer(width * height * 4);
        // CA5394 is for secrets; this is a picture that must be the same each time.
#pragma warning disable CA5394
        new Random(seed).NextBytes(new Span<byte>(buffer.Pointer, buffer.Size));
#pragma warning restore CA5394
        return new Frame(buffer.Pointer, width, height, buffer);
    }

    public static Frame Of(int width, int height, Func<int, int, byte> grey)
    {
        var buffer = new NativeBuffer(width * height * 4);
        for (var i = 0; i < width * height * 4; i++)
        {
            buffer.Pointer[i] = grey(i / 4 % width, i / 4 / width);
        }

        return new Frame(buffer.Pointer, width, height, buffer);
    }

    public static (byte R, byte G, byte B) At(Frame frame, int x, int y)
    {
        var pixel = frame.Pixels + (y * frame.Stride) + (x * 4);
        return (pixel[2], pixel[1], pixel[0]);
    }
}
