namespace Carrel.Server.Recordings;

/// <summary>A row of <c>recordings</c>; times are Unix milliseconds.</summary>
internal sealed record RecordingRow
{
    public const string Recording = "recording";
    public const string Finishing = "finishing";
    public const string Finished = "finished";
    public const string Interrupted = "interrupted";
    public const string Failed = "failed";
    public const string Deleting = "deleting";

    public string Id { get; init; } = "";

    public string ComputerId { get; init; } = "";

    public string Name { get; init; } = "";

    public string Status { get; init; } = "";

    public string? Reason { get; init; }

    public int Fps { get; init; }

    public bool Audio { get; init; }

    public bool Redact { get; init; }

    public long CreatedAt { get; init; }

    public long? StartedAt { get; init; }

    public long? FinishedAt { get; init; }

    public long? DurationMs { get; init; }

    public long? SizeBytes { get; init; }

    public int Actions { get; init; }
}
