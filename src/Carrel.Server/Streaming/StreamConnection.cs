using Carrel.Contracts.Api;

namespace Carrel.Server.Streaming;

/// <summary>A row of <c>stream_connections</c>; times are Unix milliseconds.</summary>
internal sealed class StreamConnection
{
    public string Id { get; init; } = "";

    public string AccountId { get; init; } = "";

    public string Name { get; init; } = "";

    public string Url { get; init; } = "";

    /// <summary>Encrypted; null where there is none.</summary>
    public string? StreamKey { get; init; }

    public long CreatedAt { get; init; }

    public long UpdatedAt { get; init; }

    public StreamConnectionAnswer ToAnswer() => new(
        Id, Name, Url, StreamKey is not null, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
}
