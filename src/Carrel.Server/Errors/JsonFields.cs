using System.Text.Json;
using Carrel.Contracts;

namespace Carrel.Server.Errors;

/// <summary>Reads a JSON object field by field and remembers the first thing that is wrong, by the field's name.</summary>
internal sealed class JsonFields(JsonElement body)
{
    public Failure? Wrong { get; private set; }

    /// <summary>The request's body as an object; an empty body is an empty object.</summary>
    public static async Task<Outcome<JsonFields>> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength == 0)
        {
            return new JsonFields(default);
        }

        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, request.HttpContext.RequestAborted);
        if (buffer.Length == 0)
        {
            return new JsonFields(default);
        }

        try
        {
            using var document = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonFields(document.RootElement.Clone())
                : new Failure(ErrorCodes.InvalidJson, $"The body must be a JSON object, but is {Kind(document.RootElement)}.");
        }
        catch (JsonException broken)
        {
            return new Failure(ErrorCodes.InvalidJson, $"The body is not valid JSON: {broken.Message}");
        }
    }

    /// <summary>A string, by the first of its names that is present and not null; null where none is.</summary>
    public string? Text(int most, params ReadOnlySpan<string> names)
    {
        if (Find(names, out var name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Refuse(name, $"must be a string, but is {Kind(value)}");
            return null;
        }

        var text = value.GetString()!;
        if (text.Length > most)
        {
            Refuse(name, $"must have at most {most} characters, but has {text.Length}");
        }

        return text;
    }

    public string RequiredText(int most, params ReadOnlySpan<string> names)
    {
        var text = Text(most, names);
        if (text is null)
        {
            Wrong ??= new Failure(ErrorCodes.MissingField, $"The field {names[0]} is missing.");
        }
        else if (string.IsNullOrWhiteSpace(text))
        {
            Refuse(names[0], "must not be empty");
        }

        return text ?? "";
    }

    public int? Whole(int least, int most, params ReadOnlySpan<string> names)
    {
        if (Find(names, out var name) is not { } value)
        {
            return null;
        }

        // 4.0 is the whole number 4 in JSON, which knows no integers.
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || number != Math.Floor(number))
        {
            Refuse(name, $"must be a whole number, but is {Shown(value)}");
            return null;
        }

        if (number < least || number > most)
        {
            Refuse(name, $"must be from {least} to {most}, but is {Shown(value)}");
            return null;
        }

        return (int)number;
    }

    public double? Number(double least, double most, string name)
    {
        if (Find([name], out _) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most)
        {
            return number;
        }

        Refuse(name, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"must be a number from {least} to {most}, but is {Shown(value)}"));
        return null;
    }

    public DateTimeOffset? Time(string name)
    {
        if (Find([name], out _) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time))
        {
            return time;
        }

        Refuse(name, $"must be a time such as 2026-01-31T12:00:00Z, but is {Shown(value)}");
        return null;
    }

    public bool? Flag(string name)
    {
        if (Find([name], out _) is not { } value)
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.ValueKind == JsonValueKind.True;
        }

        Refuse(name, $"must be true or false, but is {Shown(value)}");
        return null;
    }

    public double? OneOf(string name, params double[] allowed)
    {
        if (Find([name], out _) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && allowed.Contains(number))
        {
            return number;
        }

        Refuse(name, $"must be one of {string.Join(", ", allowed)}, but is {Shown(value)}");
        return null;
    }

    public bool HasAny(params ReadOnlySpan<string> names) => Find(names, out _) is not null;

    public bool Has(string name) => Find([name], out _) is not null;

    public void Refuse(string name, string why) => Wrong ??= new Failure(ErrorCodes.InvalidField, $"The field {name} {why}.");

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    private static string Shown(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.GetRawText() is { Length: <= 40 } text ? text : Kind(value);

    private JsonElement? Find(ReadOnlySpan<string> names, out string found)
    {
        foreach (var name in names)
        {
            found = name;
            if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            {
                return value;
            }
        }

        found = names[0];
        return null;
    }
}
