namespace Carrel.Deskd.Events;

/// <summary>A file or folder that somebody watches, whether it is there or not.</summary>
/// <param name="Path">Absolute, without a slash at its end.</param>
/// <param name="Recursive">With all that is below it; otherwise with its own entries.</param>
internal readonly record struct WatchedPath(string Path, bool Recursive)
{
    /// <summary>What a path that was asked for means; null when it is not absolute.</summary>
    public static WatchedPath? Of(string path, bool recursive) =>
        path.StartsWith('/') && !path.Contains('\0', StringComparison.Ordinal)
            ? new WatchedPath(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)), recursive)
            : null;

    /// <summary>Whether a change of <paramref name="path"/> is of interest.</summary>
    public bool Covers(string path) => path == Path || (Recursive ? IsBelow(path, Path) : System.IO.Path.GetDirectoryName(path) == Path);

    /// <summary>Whether the entries of <paramref name="folder"/> are of interest.</summary>
    public bool CoversEntriesOf(string folder) => folder == Path || (Recursive && IsBelow(folder, Path));

    /// <summary>Whether <paramref name="folder"/> is above it, so that its coming and going shows there.</summary>
    public bool IsBelow(string folder) => IsBelow(Path, folder);

    public static bool IsBelow(string path, string folder) =>
        path.Length > folder.Length && path.StartsWith(folder, StringComparison.Ordinal) && (folder == "/" || path[folder.Length] == '/');
}
