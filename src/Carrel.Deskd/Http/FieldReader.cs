using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Carrel.Contracts;

namespace Carrel.Deskd.Http;

/// <summary>
/// Reads declared fields and keeps the first thing that is wrong, so that an endpoint reads all its fields in a row and
/// looks once. After a problem the values mean nothing.
/// </summary>
internal abstract class FieldReader
{
    /// <summary>The answer that refuses the request, or null while all is well.</summary>
    public Reply? Problem { get; private set; }

    /// <summary>The same as a sentence, for sockets.</summary>
    public string? Complaint { get; private set; }

    public bool Has(Field field) => TryRaw(field.Name, out _);

    public int Read(IntegerField field, int? max = null)
    {
        if (!Present(field, out var raw))
        {
            return field.Default;
        }

        if (!raw.TryNumber(out var number) || number != Math.Floor(number))
        {
            return Refuse(field, $"must be a whole number, got {raw.Describe()}", field.Default);
        }

        var top = max ?? field.Max;
        return number >= field.Min && number <= top ? (int)number : Refuse(field, OutOfRange(field.Min, top, number), field.Default);
    }

    public double Read(NumberField field)
    {
        if (!Present(field, out var raw))
        {
            return field.Default;
        }

        if (!raw.TryNumber(out var number))
        {
            return Refuse(field, $"must be a number, got {raw.Describe()}", field.Default);
        }

        return number >= field.Min && number <= field.Max ? number : Refuse(field, OutOfRange(field.Min, field.Max, number), field.Default);
    }

    public bool Read(FlagField field)
    {
        if (!Present(field, out var raw))
        {
            return false;
        }

        return raw.TryFlag(out var flag) ? flag : Refuse(field, $"must be true or false, got {raw.Describe()}", false);
    }

    public string Read(TextField field)
    {
        if (!Present(field, out var raw))
        {
            return field.Default;
        }

        if (!raw.TryText(out var text))
        {
            return Refuse(field, $"must be a string, got {raw.Describe()}", field.Default);
        }

        if (field.Choices is { } choices)
        {
            return Array.Find(choices, c => c.Equals(text, StringComparison.OrdinalIgnoreCase))
                ?? Refuse(field, $"must be one of {string.Join(", ", choices)}, got {raw.Describe()}", field.Default);
        }

        return Encoding.UTF8.GetByteCount(text) <= field.MaxBytes
            ? text
            : Refuse(field, $"must be at most {field.MaxBytes} bytes long, got {Encoding.UTF8.GetByteCount(text)}", field.Default);
    }

    /// <summary>Notes what is wrong with a field beyond its type and range.</summary>
    public T Refuse<T>(Field field, string what, T fallback)
    {
        Complain(ErrorCodes.InvalidField, field, $"{field.Name} {what}");
        return fallback;
    }

    protected abstract bool TryRaw(string name, out RawValue raw);

    private bool Present(Field field, out RawValue raw)
    {
        if (TryRaw(field.Name, out raw))
        {
            return true;
        }

        if (field.Required)
        {
            Complain(ErrorCodes.MissingField, field, $"{field.Name} is required");
        }

        return false;
    }

    private void Complain(string code, Field field, string sentence)
    {
        Problem ??= Reply.Error(400, code, sentence, field.Name);
        Complaint ??= sentence;
    }

    private static string OutOfRange(double min, double max, double got) =>
        string.Create(CultureInfo.InvariantCulture, $"must be between {min} and {max}, got {got}");
}

/// <summary>A value as it came, before anybody knows what it should be.</summary>
internal readonly struct RawValue(System.Text.Json.JsonElement json, string? query)
{
    public bool TryNumber(out double number) => query is not null
        ? double.TryParse(query, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number)
        : Json(System.Text.Json.JsonValueKind.Number, out number) && json.TryGetDouble(out number) && double.IsFinite(number);

    public bool TryFlag(out bool flag)
    {
        flag = query is "true" or "1" or "" || json.ValueKind == System.Text.Json.JsonValueKind.True;
        return flag || query is "false" or "0" || json.ValueKind == System.Text.Json.JsonValueKind.False;
    }

    public bool TryText([NotNullWhen(true)] out string? text)
    {
        text = query;
        if (text is null && json.ValueKind == System.Text.Json.JsonValueKind.String)
        {
            try
            {
                text = json.GetString();
            }
            catch (InvalidOperationException)
            {
                // Half of a surrogate pair, which no text holds.
                text = null;
            }
        }

        return text is not null;
    }

    public string Describe() => query is not null ? Shorten($"\"{query}\"") : json.ValueKind switch
    {
        System.Text.Json.JsonValueKind.Array => "an array",
        System.Text.Json.JsonValueKind.Object => "an object",
        _ => Shorten(json.GetRawText()),
    };

    private static string Shorten(string text) => text.Length <= 60 ? text : $"{text[..57]}...";

    private bool Json(System.Text.Json.JsonValueKind kind, out double number)
    {
        number = 0;
        return json.ValueKind == kind;
    }
}
