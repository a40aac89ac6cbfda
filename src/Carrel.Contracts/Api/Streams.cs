using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>An RTMP target that streams are started to by its name (reference sections 9 and 25.15).</summary>
/// <param name="Url"><c>rtmp://</c> or <c>rtmps://</c>, with the application.</param>
/// <param name="HasKey">Whether it has a stream key. The key itself is never answered.</param>
public sealed record StreamConnectionAnswer(string Id, string Name, string Url, bool HasKey, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

public sealed record StreamConnectionList(IReadOnlyList<StreamConnectionAnswer> Connections);

/// <summary>Body of <c>POST /stream/connections</c>; to change one, any of its fields.</summary>
/// <param name="Name">1-200 characters; unique in the account.</param>
/// <param name="Url"><c>rtmp://host[:port]/application</c> or <c>rtmps://...</c>, at most 900 characters, without a user.</param>
/// <param name="StreamKey">What the target knows the stream by; at most 900 characters. Empty takes it away.</param>
public sealed record StreamConnectionRequest(string? Name = null, string? Url = null, string? StreamKey = null);

/// <summary>Body of <c>POST /computers/{id}/stream/start</c>.</summary>
/// <param name="ConnectionName">Name of a stream connection.</param>
/// <param name="Resolution"><c>WxH</c> of the picture, 160-3840 by 90-2160; default that of the screen.</param>
/// <param name="Fps">1-60, default 15.</param>
/// <param name="BitrateKbps">100-20000, default 2500.</param>
/// <param name="Audio">Default true.</param>
/// <param name="ReconnectSeconds">How long a target that broke off is tried again, 0-3600, default 300.</param>
public sealed record StreamStartRequest(
    [property: JsonRequired] string ConnectionName,
    string? Resolution = null,
    int? Fps = null,
    int? BitrateKbps = null,
    bool? Audio = null,
    int? ReconnectSeconds = null);

/// <summary>How a computer's stream stands.</summary>
/// <param name="Status">idle, streaming or terminated.</param>
/// <param name="Pid">Of ffmpeg inside the computer; absent while the target is being tried again.</param>
/// <param name="Reconnecting">The connection broke, and the target is tried again.</param>
/// <param name="Reconnects">How often that succeeded.</param>
/// <param name="Reason">Why it ended, or what broke last.</param>
public sealed record StreamStatusAnswer(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Success,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ConnectionName = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? StartTime = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Pid = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Reconnecting = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Reconnects = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? EndedAt = null);

/// <summary>A recording of a computer's screen and sound.</summary>
/// <param name="Status">recording, finishing, finished, interrupted (it is finished when its computer runs again) or failed.</param>
/// <param name="Reason">Why it ended other than by a stop, or what is wrong with it.</param>
/// <param name="Redact">Texts and commands of actions are left out of its chapters and subtitles.</param>
/// <param name="ActionCount">Actions that it has as chapters and subtitles.</param>
/// <param name="Size">Bytes.</param>
/// <param name="DownloadUrl">Opens without a login until <paramref name="DownloadExpiresAt"/>; there once it is finished.</param>
public sealed record RecordingAnswer(
    string Id,
    string ComputerId,
    string Name,
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    int Fps,
    bool Audio,
    bool Redact,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    double? DurationSeconds,
    long? Size,
    int ActionCount,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DownloadUrl,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? DownloadExpiresAt);

public sealed record RecordingList(IReadOnlyList<RecordingAnswer> Recordings);

/// <summary>Body of <c>POST /computers/{id}/recordings</c>.</summary>
/// <param name="Name">1-200 characters; default its time.</param>
/// <param name="Fps">1-60, default 15.</param>
/// <param name="Audio">Default true.</param>
/// <param name="Redact">Leaves texts and commands of actions out of chapters and subtitles; default false.</param>
public sealed record RecordingRequest(string? Name = null, int? Fps = null, bool? Audio = null, bool? Redact = null);
