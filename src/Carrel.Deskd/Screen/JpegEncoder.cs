using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Screen;

/// <summary>Encodes through libjpeg-turbo, which reads the server's pixel order as it is.</summary>
internal static unsafe class JpegEncoder
{
    public static EncodedPicture Encode(Frame frame, int quality)
    {
        var subsampling = quality >= 90 ? TurboJpeg.Subsampling444 : TurboJpeg.Subsampling420;
        var output = new NativeBuffer((int)TurboJpeg.tjBufSize(frame.Width, frame.Height, subsampling));
        var compressor = TurboJpeg.tjInitCompress();
        var target = output.Pointer;
        nuint size = (nuint)output.Size;
        var result = TurboJpeg.tjCompress2(
            compressor, frame.Pixels, frame.Width, frame.Stride, frame.Height, TurboJpeg.PixelFormatBgrx,
            &target, &size, subsampling, quality, TurboJpeg.FlagNoRealloc);
        var error = result == 0 ? null : Marshal.PtrToStringUTF8(TurboJpeg.tjGetErrorStr2(compressor));
        _ = TurboJpeg.tjDestroy(compressor);
        if (error is not null)
        {
            output.Dispose();
            throw new InvalidOperationException($"encoding {frame.Width}x{frame.Height} as JPEG: {error}");
        }

        return new EncodedPicture(output, (int)size, PictureFormat.Jpeg, frame.Width, frame.Height);
    }
}
