using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>A file kept for a workspace (reference section 8).</summary>
/// <param name="Source">upload or export.</param>
/// <param name="DesktopId">The computer it was meant for or came from.</param>
public sealed record FileAnswer(
    string Id,
    string Filename,
    long SizeBytes,
    string ContentType,
    DateTimeOffset CreatedAt,
    string Source,
    string WorkspaceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DesktopId = null);

/// <summary>Answer of <c>POST /files/upload</c>.</summary>
public sealed record UploadAnswer(FileAnswer File);

/// <summary>Answer of <c>GET /files</c>, the newest first.</summary>
public sealed record FileList(IReadOnlyList<FileAnswer> Files);

/// <summary>Body of <c>POST /files/export</c>.</summary>
/// <param name="DesktopId">Also taken as <c>desktop_id</c>, <c>computerId</c>, <c>computer_id</c>.</param>
/// <param name="Path">A file in the home folder: relative to it, absolute, or <c>~/...</c>.</param>
public sealed record ExportRequest(
    [property: JsonRequired, JsonPropertyName("desktopId")] string DesktopId,
    [property: JsonRequired] string Path);

/// <summary>Body of the in-computer API's <c>POST /files/export</c>, which answers with the file.</summary>
public sealed record DesktopExportRequest([property: JsonRequired] string Path);

/// <summary>Answer of <c>POST /files/export</c>.</summary>
/// <param name="Url">Opens without a login for an hour.</param>
public sealed record ExportAnswer(bool Success, FileAnswer File, string Url);

/// <summary>Answer of <c>GET /files/download</c>.</summary>
/// <param name="Url">Opens without a login for an hour.</param>
public sealed record DownloadAnswer(string Url);

/// <summary>What there is at a path inside a computer.</summary>
/// <param name="Path">Absolute; only where one thing was asked for.</param>
/// <param name="NameEncoded">The name as it has to stand in a URL, where it is no UTF-8.</param>
/// <param name="Type">file, directory, symlink, fifo, socket, char_device or block_device.</param>
/// <param name="Mode">Permissions, octal.</param>
/// <param name="Target">Where a symlink leads.</param>
public sealed record FileEntry(
    string? Path,
    string Name,
    string? NameEncoded,
    string Type,
    long Size,
    DateTimeOffset Mtime,
    string Mode,
    string Owner,
    string Group,
    long Uid,
    long Gid,
    string? Target);

/// <summary>What is in a folder inside a computer, in the order in which its file system has it.</summary>
public sealed record FolderAnswer(string Path, IReadOnlyList<FileEntry> Entries);

/// <summary>Body of <c>POST .../fs/{path}</c>.</summary>
/// <param name="Action"><c>mkdir</c> or <c>move</c>.</param>
/// <param name="To">Where it is moved: absolute, or relative to the home folder.</param>
/// <param name="Parents">Makes the folders above that are missing.</param>
/// <param name="Keep">Refuses to replace what is there.</param>
/// <param name="Mode">Permissions of the new folder, octal.</param>
public sealed record FileActionRequest(
    [property: JsonRequired] string Action, string? To = null, bool? Parents = null, bool? Keep = null, string? Mode = null);
