using System.Buffers;
using System.Text.Json;

namespace Carrel.Deskd.Http;

/// <summary>What to answer: status, type and bytes, with whatever memory they need until they are sent.</summary>
internal sealed class Reply(int status, string contentType, ReadOnlyMemory<byte> head, Screen.EncodedPicture? picture = null)
{
    private static readonly JsonWriterOptions Lenient = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public int Status => status;

    public string ContentType => contentType;

    public ReadOnlyMemory<byte> Head => head;

    /// <summary>Sent after the head; disposed once sent.</summary>
    public Screen.EncodedPicture? Picture => picture;

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public static Reply Json(int status, Action<Utf8JsonWriter> writeProperties) =>
        new(status, "application/json", JsonBytes(writeProperties));

    public static Reply Text(string contentType, string text) => new(200, contentType, System.Text.Encoding.UTF8.GetBytes(text));

    public static Reply Error(int status, string code, string message, string? field = null) => Json(status, json =>
    {
        json.WriteString("error"u8, message);
        json.WriteString("code"u8, code);
        if (field is not null)
        {
            json.WriteString("field"u8, field);
        }
    });

    /// <summary>A JSON object of the given properties, as bytes.</summary>
    public static ReadOnlyMemory<byte> JsonBytes(Action<Utf8JsonWriter> writeProperties)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Lenient))
        {
            json.WriteStartObject();
            writeProperties(json);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
