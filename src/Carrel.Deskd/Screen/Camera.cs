using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screen;

/// <summary>Takes a picture of the screen and encodes it as asked.</summary>
internal sealed class Camera(ScreenCapture capture)
{
    public async Task<EncodedPicture> ShootAsync(XDisplay display, ShotOptions options, CancellationToken cancellationToken)
    {
        using var frame = await capture.CaptureAsync(display, options.Cursor, cancellationToken);
        if (options.Scale >= 1)
        {
            return Encode(frame, options);
        }

        using var smaller = Downscaler.Scale(frame, options.Scale);
        return Encode(smaller, options);
    }

    private static EncodedPicture Encode(Frame frame, ShotOptions options) => options.Format switch
    {
        PictureFormat.Png => PngEncoder.Encode(frame),
        PictureFormat.Jpeg => JpegEncoder.Encode(frame, options.Quality),
        _ => WebpEncoder.Encode(frame, options.Quality),
    };
}
