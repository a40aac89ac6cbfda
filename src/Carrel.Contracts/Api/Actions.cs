using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

// Bodies and answers of the actions (reference sections 5 and 25). The server forwards them untouched, deskd reads and
// writes them; these records describe them in the OpenAPI document and serve clients.

#pragma warning disable CA1720 // The API calls the field double.
/// <param name="X">Pixels from the left edge.</param>
/// <param name="Y">Pixels from the top edge.</param>
/// <param name="Button">left (default), right or middle.</param>
/// <param name="Repeat">1-3.</param>
public sealed record ClickRequest(
    [property: JsonRequired] int X, [property: JsonRequired] int Y, string? Button = null, bool? Double = null, int? Repeat = null);
#pragma warning restore CA1720

public sealed record PointRequest([property: JsonRequired] int X, [property: JsonRequired] int Y);

/// <param name="Button">left (default), right or middle.</param>
/// <param name="Duration">Seconds, default 0.5.</param>
public sealed record DragRequest(
    [property: JsonRequired] int StartX,
    [property: JsonRequired] int StartY,
    [property: JsonRequired] int EndX,
    [property: JsonRequired] int EndY,
    string? Button = null,
    double? Duration = null);

/// <param name="Text">Any Unicode.</param>
/// <param name="DelayMs">Milliseconds between characters, default 12.</param>
public sealed record TypeRequest([property: JsonRequired] string Text, int? DelayMs = null);

/// <param name="Key">A key name or a combination joined by <c>+</c>, such as <c>ctrl+shift+t</c>.</param>
public sealed record KeyRequest([property: JsonRequired] string Key);

/// <param name="Direction">up, down (default), left or right.</param>
/// <param name="Amount">Steps, default 3.</param>
public sealed record ScrollRequest(string? Direction = null, int? Amount = null, int? X = null, int? Y = null);

/// <param name="Seconds">0-60; <c>duration</c> is its older name.</param>
public sealed record WaitRequest(double? Seconds = null, double? Duration = null);

/// <param name="Timeout">Seconds, 1-300, default 200.</param>
public sealed record BashRequest([property: JsonRequired] string Command, int? Timeout = null);

/// <param name="Code">Python, run by a fresh interpreter.</param>
/// <param name="Timeout">Seconds, 1-300, default 10.</param>
public sealed record ExecRequest([property: JsonRequired] string Code, int? Timeout = null);

/// <summary>Answer of an action. With <c>?screenshot=after</c> it carries <see cref="Screenshot"/>, with <c>?settle=true</c> <see cref="Settle"/>.</summary>
public sealed record ActionAnswer(
    bool Success, string Action, IReadOnlyDictionary<string, object>? Details = null, SettleAnswer? Settle = null, ActionScreenshot? Screenshot = null);

/// <param name="Truncated">The output passed 1 MB and was cut.</param>
/// <param name="TimedOut">The timeout was reached; <see cref="ExitCode"/> is 124.</param>
public sealed record BashAnswer(
    bool Success, string Action, string Command, string Output, int ExitCode, bool? Truncated = null, bool? TimedOut = null,
    SettleAnswer? Settle = null, ActionScreenshot? Screenshot = null);

/// <param name="Timeout">True where the timeout was reached.</param>
public sealed record ExecAnswer(
    bool Success, string Action, string Output, bool? Timeout = null, string? Error = null, string? ErrorType = null, bool? Truncated = null,
    SettleAnswer? Settle = null, ActionScreenshot? Screenshot = null);

/// <summary>Whether and when the screen came to rest after an action.</summary>
public sealed record SettleAnswer(bool Settled, double WaitedMs);

/// <summary>The picture after an action: a URL, or base64 with its <c>mime_type</c>.</summary>
public sealed record ActionScreenshot(string Image, string? MimeType = null, ScreenshotMetadata? Metadata = null);

/// <summary>Answer of <c>GET /screenshot</c> (reference sections 5.1 and 25.7).</summary>
/// <param name="Image">Absolute URL that opens without a login until it expires, or base64 without a <c>data:</c> prefix.</param>
public sealed record ScreenshotAnswer(
    bool Success,
    string Image,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ScreenshotMetadata? Metadata = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? MimeType = null);

/// <param name="Size">Bytes.</param>
/// <param name="StoragePath">Path below the server's data folder.</param>
/// <param name="ExpiresAt">When the URL stops working.</param>
public sealed record ScreenshotMetadata(string Id, DateTimeOffset Timestamp, long Size, string StoragePath, DateTimeOffset ExpiresAt);

/// <summary>Answer of <c>/healthz</c>.</summary>
/// <param name="Status">ok, or starting while it takes over the machines of its predecessor.</param>
public sealed record ServerHealth(string Status, string Version, string Isolation, int Computers, int Running);

/// <summary>Answer of <c>/readyz</c>.</summary>
/// <param name="Ready">Whether computers can be made and changed now.</param>
/// <param name="Checks">takeover, database and disk: ok, or what is wrong.</param>
public sealed record ServerReadiness(bool Ready, IReadOnlyDictionary<string, string> Checks);
