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

        await WriteAsync(context, json =>
        {
            json.WriteBoolean("success"u8, true);
            return PictureFieldsAsync(json, context, computer, query, format, picture, baseUrl);
        });
        return Results.Empty;
    }

    /// <summary>An action's answer with its picture, in the framing of <see cref="Contracts.Deskd.DeskdProtocol.ActAndSeeMediaType"/>.</summary>
    public async Task<IResult> ActAndSeeAsync(HttpContext context, Computer computer, PictureQuery query, ReadOnlyMemory<byte> framed, string baseUrl)
    {
        if (Parse(framed) is not var (answer, picture))
        {
            return (NoPicture with { Code = ErrorCodes.OutcomeUnknown }).AsProblem();
        }

        using (answer)
        {
            if (PictureFormat.Of(picture.Span) is not { } format)
            {
                return (NoPicture with { Code = ErrorCodes.OutcomeUnknown }).AsProblem();
            }

            await WriteAsync(context, async json =>
            {
                JsonElement? own = null;
                foreach (var property in answer.RootElement.EnumerateObject())
                {
                    if (property.NameEquals("screenshot"u8))
                    {
                        own = property.Value;
                        continue;
                    }

                    property.WriteTo(json);
                }

                json.WriteStartObject("screenshot"u8);
                await PictureFieldsAsync(json, context, computer, query, format, picture, baseUrl);
                if (own is { ValueKind: JsonValueKind.Object } fields)
                {
                    foreach (var property in fields.EnumerateObject().Where(property => property.Name is not ("image" or "mime_type" or "metadata")))
                    {
                        property.WriteTo(json);
                    }
                }

                json.WriteEndObject();
            });
            return Results.Empty;
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

    private async Task PictureFieldsAsync(
        Utf8JsonWriter json, HttpContext context, Computer computer, PictureQuery query, PictureFormat format, ReadOnlyMemory<byte> picture, string baseUrl)
    {
        if (query.Delivery == PictureDelivery.Base64)
        {
            json.WriteBase64String("image"u8, picture.Span);
        }
        else
        {
            var (url, metadata) = await store.SaveAsync(computer.State.Record.InstanceId, format, picture, baseUrl, context.RequestAborted);
            json.WriteString("image"u8, url);
            json.WritePropertyName("metadata"u8);
            JsonSerializer.Serialize(json, metadata, ApiJson.Default.ScreenshotMetadata);
        }

        json.WriteString("mime_type"u8, format.MediaType);
    }

    private static async Task WriteAsync(HttpContext context, Func<Utf8JsonWriter, Task> write)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, Relaxed);
        json.WriteStartObject();
        await write(json);
        json.WriteEndObject();
    }
}
