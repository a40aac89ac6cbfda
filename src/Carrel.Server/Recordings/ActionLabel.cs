using System.Globalization;
using System.Text.Json;
using Carrel.Server.Actions;

namespace Carrel.Server.Recordings;

/// <summary>An action as one line for people: <c>click 100,200 left</c>, <c>type Hello</c>, <c>key ctrl+c</c>.</summary>
internal static class ActionLabel
{
    /// <summary>Texts and commands are cut here.</summary>
    public const int LongestText = 80;

    /// <param name="redact">Leave out what was typed or run; it may be a secret.</param>
    public static string Of(DeskAction action, ReadOnlySpan<byte> body, bool redact)
    {
        var fields = Read(body);
        if (fields.ValueKind != JsonValueKind.Object)
        {
            return action.Name;
        }

        return action.Name + action.Name switch
        {
            "click" or "double-click" => $"{Point(fields, "x", "y")} {Text(fields, "button") ?? "left"}{Times(fields)}",
            "mouse-move" => Point(fields, "x", "y"),
            "drag" => $"{Point(fields, "start_x", "start_y")} to{Point(fields, "end_x", "end_y")}",
            "type" => Typed(fields, "text", redact),
            "key" => redact ? "" : $" {Cut(Text(fields, "key") ?? "")}",
            "scroll" => $" {Text(fields, "direction") ?? "down"} {Number(fields, "amount") ?? "3"}",
            "wait" => $" {Number(fields, "seconds") ?? Number(fields, "duration")} s",
            "bash" => Typed(fields, "command", redact),
            "exec" => Typed(fields, "code", redact),
            _ => "",
        };
    }

    private static JsonElement Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            return JsonElement.ParseValue(ref reader);
        }
        catch (JsonException)
        {
            return default; // The desktop has taken it, so this is an empty body.
        }
    }

    private static string Typed(JsonElement fields, string name, bool redact)
    {
        var text = Text(fields, name) ?? "";
        return redact ? string.Create(CultureInfo.InvariantCulture, $" ({text.Length} characters)") : $" {Cut(text)}";
    }

    /// <summary>On one line, and not longer than people read in passing.</summary>
    private static string Cut(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= LongestText)
        {
            return line;
        }

        // Not through the middle of a character.
        return $"{line[..(char.IsHighSurrogate(line[LongestText - 1]) ? LongestText - 1 : LongestText)]}…";
    }

    private static string Times(JsonElement fields) =>
        fields.TryGetProperty("double", out var twice) && twice.ValueKind == JsonValueKind.True ? " twice"
        : Number(fields, "repeat") is { } times && times != "1" ? $" {times} times" : "";

    private static string Point(JsonElement fields, string x, string y) => $" {Number(fields, x)},{Number(fields, y)}";

    private static string? Number(JsonElement fields, string name) =>
        fields.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? Cut(value.GetRawText()) : null;

    private static string? Text(JsonElement fields, string name) =>
        fields.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
