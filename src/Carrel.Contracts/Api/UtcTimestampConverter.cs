using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>Timestamps as the API writes them: ISO 8601, UTC, milliseconds, <c>Z</c> (reference section 1).</summary>
public sealed class UtcTimestampConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
        => writer.WriteStringValue(value.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture));
}
