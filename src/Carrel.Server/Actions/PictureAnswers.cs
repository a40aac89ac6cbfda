using System.Buffers.Binary;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Screenshots;

namespace Carrel.Server.Actions;

/// <summary>Answers with a picture: stored behind a link, or inline.</summary>
internal sealed class PictureAnswers(ScreenshotStore store)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Failure NoPicture = new(ErrorCodes.DesktopFailed, "The desktop answered with something that is no picture.", "Try again in a moment.");

    /// <summary>The answer of <c>GET /screenshot</c>.</summary>
    public async Task<IResult> ScreenshotAsync(HttpContext context, Computer computer, PictureQuery query, ReadOnlyMemory<byte> picture, string baseUrl)
    {
        if (PictureFormat.Of(picture.Span) is not { } format)
        {
            return NoPicture.AsProblem();
        }

        if (query.Delivery == PictureDelivery.Binary)
        {
            context.Response.Headers.CacheControl = "no-store";
            await Forwarder.RelayAsync(context, picture, format.MediaType);
            return Results.Empty;
        }

        var fields = await DeliverAsync(context, computer, query, format, picture, baseUrl);
        await WriteAsync(context, json =>
        {
            json.WriteBoolean("success"u8, true);
            fields(json);
        });
        return Results.Empty;
    }

    /// <summary>
    /// An action's answer with its picture, in the framing of <see cref="Contracts.Deskd.DeskdProtocol.ActAndSeeMediaType"/>. The
    /// action has happened: whatever is wrong with its picture is told inside the success.
    /// </summary>
    public async Task<IResult> ActAndSeeAsync(HttpContext context, Computer computer, PictureQuery query, ReadOnlyMemory<byte> framed, string baseUrl)
    {
        if (Parse(framed) is not var (answer, picture))
        {
            return new Failure(ErrorCodes.OutcomeUnknown, "The desktop's answer could not be read; the action may have been carried out.").AsProblem();
        }

        using (answer)
        {
            var (fields, error) = await TryDeliverAsync(context, computer, query, picture, baseUrl);
            await WriteAsync(context, json =>
            {
                foreach (var property in answer.RootElement.EnumerateObject().Where(property => !property.NameEquals("screenshot"u8)))
                {
                    property.WriteTo(json);
                }

                if (fields is null)
                {
                    json.WriteString("screenshot_error"u8, error);
                    return;
                }

                json.WriteStartObject("screenshot"u8);
                fields(json);
                WriteSize(json, answer.RootElement);
                json.WriteEndObject();
            });
            return Results.Empty;
        }
    }

    private async Task<(Action<Utf8JsonWriter>? Fields, string? Error)> TryDeliverAsync(
        HttpContext context, Computer computer, PictureQuery query, ReadOnlyMemory<byte> picture, string baseUrl)
    {
        if (PictureFormat.Of(picture.Span) is not { } format)
        {
            return (null, NoPicture.Message);
        }

        try
        {
            return (await DeliverAsync(context, computer, query, format, picture, baseUrl), null);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            return (null, $"The picture could not be stored: {full.Message}");
        }
    }

    /// <summary>Of what the desktop says about its picture, its size alone: the rest the server knows better.</summary>
    private static void WriteSize(Utf8JsonWriter json, JsonElement answer)
    {
        if (answer.TryGetProperty("screenshot"u8, out var own) && own.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in own.EnumerateObject().Where(property => property.Name is "width" or "height"))
            {
                property.WriteTo(json);
            }
        }
    }

    private static (JsonDocument Answer, ReadOnlyMemory<byte> Picture)? Parse(ReadOnlyMemory<byte> framed)
    {
        if (framed.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(framed.Span) is var length && length > framed.Length - 4)
        {
            return null;
        }

        try
        {
            var answer = JsonDocument.Parse(framed.Slice(4, (int)length));
            if (answer.RootElement.ValueKind == JsonValueKind.Object)
            {
                return (answer, framed[(4 + (int)length)..]);
            }

            answer.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Stores the picture, where a link is wanted, and returns what writes its fields.</summary>
    private async Task<Action<Utf8JsonWriter>> DeliverAsync(
        HttpContext context, Computer computer, PictureQuery query, PictureFormat format, ReadOnlyMemory<byte> picture, string baseUrl)
    {
        if (query.Delivery == PictureDelivery.Base64)
        {
            return json =>
            {
                json.WriteBase64String("image"u8, picture.Span);
                json.WriteString("mime_type"u8, format.MediaType);
            };
        }

        var (url, metadata) = await store.SaveAsync(computer.State.Record.InstanceId, format, picture, baseUrl, context.RequestAborted);
        return json =>
        {
            json.WriteString("image"u8, url);
            json.WritePropertyName("metadata"u8);
            JsonSerializer.Serialize(json, metadata, ApiJson.Default.ScreenshotMetadata);
            json.WriteString("mime_type"u8, format.MediaType);
        };
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, Relaxed);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }
}
