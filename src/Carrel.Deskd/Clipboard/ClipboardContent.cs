using System.Text.Json;

namespace Carrel.Deskd.Clipboard;

/// <summary>What is on the clipboard.</summary>
/// <param name="Text">Empty when the clipboard is, or holds no text.</param>
/// <param name="Type"><c>text/plain</c>, a media type the owner offers instead, or null when the clipboard is empty.</param>
/// <param name="Truncated">There is more text than we read.</param>
internal sealed record ClipboardContent(string Text, string? Type, bool Truncated = false)
{
    public const string PlainText = "text/plain";

    public static readonly ClipboardContent Empty = new("", null);

    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("content"u8, Text);
        json.WriteString("content_type"u8, Type);
        if (Truncated)
        {
            json.WriteBoolean("truncated"u8, true);
        }
    }
}
