using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <param name="Content">Text, at most 1 MiB of UTF-8.</param>
public sealed record ClipboardRequest([property: JsonRequired] string Content);

/// <summary>Answer of <c>GET /computers/{id}/clipboard</c>, as the desktop writes it.</summary>
/// <param name="Content">The text; empty when the clipboard is empty or holds something else.</param>
/// <param name="ContentType"><c>text/plain</c>, what the program that copied offers instead (such as <c>image/png</c>), or null when the clipboard is empty.</param>
/// <param name="Truncated">True where there was more than 1 MiB; absent otherwise.</param>
public sealed record ClipboardAnswer(string Content, string? ContentType, bool? Truncated = null);
