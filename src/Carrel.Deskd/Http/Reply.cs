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

    /// <summary>The handler has answered by itself: a socket or an upgrade.</summary>
    public static Reply Taken { get; } = new(101, "", default);

    /// <summary>Writes the body as it goes. What it throws after its first byte breaks the connection off, which tells the client.</summary>
    public Func<Stream, CancellationToken, Task>? Body { get; private init; }

    /// <summary>Bytes that <see cref="Body"/> will write; null when nobody knows.</summary>
    public long? BodyLength { get; private init; }

    /// <summary>An answer that is written as it is made.</summary>
    public static Reply Streamed(
        int status, string contentType, long? length, Func<Stream, CancellationToken, Task> write, params IReadOnlyList<(string, string)> headers) =>
        new(status, contentType, default) { Body = write, BodyLength = length, Headers = headers };

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
