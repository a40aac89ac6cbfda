using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Screen;

/// <summary>Encodes through libwebp with its fastest method; quality 100 is lossy too.</summary>
internal static unsafe class WebpEncoder
{
    public static EncodedPicture Encode(Frame frame, int quality)
    {
        WebP.Config config;
        WebP.Picture picture;
        if (!WebP.Initialize(&config, &picture, quality))
        {
            throw new InvalidOperationException("libwebp speaks another version than ours");
        }

        config.Method = 0;
        picture.Width = frame.Width;
        picture.Height = frame.Height;
        // Raw pixels are more than any WebP of them takes; a picture that still does not fit fails and says so.
        var target = new Target(new NativeBuffer((frame.Stride * frame.Height) + 65536));
        var handle = GCHandle.Alloc(target);
        picture.Writer = &Append;
        picture.Custom = (void*)GCHandle.ToIntPtr(handle);
        var done = WebP.WebPPictureImportBGRX(&picture, frame.Pixels, frame.Stride) != 0 && WebP.WebPEncode(&config, &picture) != 0;
        WebP.WebPPictureFree(&picture);
        handle.Free();
        if (!done)
        {
            target.Buffer.Dispose();
            throw new InvalidOperationException($"encoding {frame.Width}x{frame.Height} as WebP: error {picture.ErrorCode}");
        }

        return new EncodedPicture(target.Buffer, target.Size, PictureFormat.Webp, frame.Width, frame.Height);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Append(byte* data, nuint size, WebP.Picture* picture)
    {
        var target = (Target)GCHandle.FromIntPtr((nint)picture->Custom).Target!;
        if (target.Size + (int)size > target.Buffer.Size)
        {
            return 0;
        }

        Buffer.MemoryCopy(data, target.Buffer.Pointer + target.Size, (long)size, (long)size);
        target.Size += (int)size;
        return 1;
    }

    private sealed class Target(NativeBuffer buffer)
    {
        public NativeBuffer Buffer => buffer;

        public int Size { get; set; }
    }
}
