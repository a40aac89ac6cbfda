using System.Globalization;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Http;
using Carrel.Deskd.Screens;

namespace Carrel.Deskd.Screen;

/// <summary><c>GET /screenshot</c>.</summary>
internal sealed class ScreenshotEndpoint(ScreenSet screens)
{
    public static readonly TextField ResponseFormat = new(
        "response_format", "base64 in JSON, or the bytes.", false, 16, "base64", ["base64", "binary"]);

    public async Task<Reply> GetAsync(Exchange exchange)
    {
        var binary = exchange.Query.Read(ResponseFormat) == "binary";
        var options = ShotOptions.Read(exchange.Query);
        var (screen, problem) = screens.Of(exchange.Query);
        if (screen is null || problem is not null)
        {
            return problem!;
        }

        var picture = await screen.Camera.ShootAsync(screen.Display, options, exchange.Aborted);
        if (binary)
        {
            return new Reply(200, picture.MimeType, default, picture)
            {
                Headers =
                [
                    (DeskdProtocol.WidthHeader, picture.Width.ToString(CultureInfo.InvariantCulture)),
                    (DeskdProtocol.HeightHeader, picture.Height.ToString(CultureInfo.InvariantCulture)),
                ],
            };
        }

        using (picture)
        {
            return Reply.Json(200, json =>
            {
                json.WriteBoolean("success"u8, true);
                json.WriteBase64String("image"u8, picture.Bytes);
                json.WriteString("format"u8, picture.Name);
                json.WriteString("encoding"u8, "base64"u8);
                json.WriteString("mime_type"u8, picture.MimeType);
                json.WriteNumber("width"u8, picture.Width);
                json.WriteNumber("height"u8, picture.Height);
            });
        }
    }
}
