using Carrel.Contracts.Api;

namespace Carrel.Server.Files;

/// <summary>A row of <c>files</c>; times are Unix milliseconds.</summary>
internal sealed record FileRecord
{
    public const string Upload = "upload";
    public const string Export = "export";

    public string Id { get; init; } = "";

    public string WorkspaceId { get; init; } = "";

    public string? ComputerId { get; init; }

    public string Filename { get; init; } = "";

    public string ContentType { get; init; } = "";

    public long SizeBytes { get; init; }

    public string Source { get; init; } = "";

    public long CreatedAt { get; init; }

    public FileAnswer AsAnswer() => new(
        Id, Filename, SizeBytes, ContentType, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), Source, WorkspaceId, ComputerId);
}
