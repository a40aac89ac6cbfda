using System.Text.Json;
using Carrel.Contracts;

namespace Carrel.Deskd.Http;

/// <summary>A request's JSON object. No body at all is an empty object. A field that is null counts as absent.</summary>
internal sealed class Body(JsonElement root) : FieldReader
{
    private static readonly JsonElement Empty = JsonElement.Parse("{}"u8);

    public static (Body? Body, Reply? Problem) Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return (new Body(Empty), null);
        }

        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (new Body(document.RootElement.Clone()), null)
                : (null, Reply.Error(400, ErrorCodes.InvalidJson, "the body must be a JSON object"));
        }
        catch (JsonException e)
        {
            var where = $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
            return (null, Reply.Error(400, ErrorCodes.InvalidJson, $"the body is not valid JSON (at {where})"));
        }
    }

    protected override bool TryRaw(string name, out RawValue raw)
    {
        var found = root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
        raw = new RawValue(value, null);
        return found;
    }
}
