using Carrel.Contracts.Events;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Events;

internal enum FileAction
{
    Created,
    Modified,
    Deleted,
}

/// <param name="From">Where it was before, when it was renamed from within what is watched.</param>
internal readonly record struct FileChange(string Path, FileAction Action, string? From = null);

/// <summary>
/// Watches files and folders by inotify: one instance for all who watch, open while there are any. A path that is not there
/// is waited for in the nearest folder above it.
/// </summary>
internal sealed class FileWatch(DescriptorLoop loop, TimeProvider time)
{
    private const uint Mask = Inotify.Modify | Inotify.CloseWrite | Inotify.MovedFrom | Inotify.MovedTo | Inotify.Created | Inotify.Deleted
        | Inotify.OnlyFolders;

    /// <summary>The kernel's own trees, which change all the time and tell nothing of it.</summary>
    private static readonly string[] Skipped = ["/proc", "/sys", "/dev"];

    private readonly Lock _gate = new();
    private readonly Dictionary<WatchedPath, int> _paths = [];
    private readonly Dictionary<int, string> _folders = [];
    private readonly Dictionary<string, int> _watches = new(StringComparer.Ordinal);

    /// <summary>What was found in a folder that had just appeared, so that its own notification does not tell it twice.</summary>
    private readonly HashSet<string> _found = new(StringComparer.Ordinal);
    private Inotify? _inotify;
    private WriteFilter? _writes;
    private bool _isFull;

    /// <summary>Raised with a lock held; must not block.</summary>
    public event Action<FileChange>? Changed;

    /// <summary>Some changes were not seen: more came at once than the kernel keeps, or there are too many folders.</summary>
    public event Action<string>? Missed;

    public void Add(WatchedPath path)
    {
        lock (_gate)
        {
            if (_inotify is null)
            {
                var inotify = new Inotify();
                loop.Add(inotify.Fd, OnReadable);
                _inotify = inotify;
                _writes = new WriteFilter(time, written => Changed?.Invoke(new FileChange(written, FileAction.Modified)));
            }

            _paths[path] = _paths.GetValueOrDefault(path) + 1;
            if (_paths[path] == 1)
            {
                Settle(path, tell: false);
            }
        }
    }

    public void Remove(WatchedPath path)
    {
        lock (_gate)
        {
            if (--_paths[path] > 0)
            {
                return;
            }

            _paths.Remove(path);
            if (_paths.Count > 0)
            {
                Drop(folder => !_paths.Keys.Any(other => other.CoversEntriesOf(folder) || other.IsBelow(folder)));
                return;
            }

            loop.Remove(_inotify!.Fd);
            _inotify.Dispose();
            _writes!.Dispose();
            _inotify = null;
            _folders.Clear();
            _watches.Clear();
            _found.Clear();
            _isFull = false;
        }
    }

    private void OnReadable()
    {
        lock (_gate)
        {
            if (_inotify is null)
            {
                return;
            }

            var moved = default(InotifyEvent);
            foreach (var happened in _inotify.Read())
            {
                if (happened.Has(Inotify.Overflow))
                {
                    Missed?.Invoke("files changed faster than they could be told; some changes are missing");
                }
                else if (happened.Has(Inotify.Ignored))
                {
                    Forget(happened.Watch);
                }
                else if (_folders.TryGetValue(happened.Watch, out var folder) && happened.Name.Length > 0)
                {
                    // The two halves of a rename follow each other.
                    var from = moved.Cookie == happened.Cookie && happened.Has(Inotify.MovedTo) && _folders.TryGetValue(moved.Watch, out var old)
                        ? Path.Join(old, moved.Name)
                        : null;
                    OnEntry(happened, Path.Join(folder, happened.Name), from);
                    moved = happened.Has(Inotify.MovedFrom) ? happened : default;
                }
            }

            _found.Clear();
        }
    }

    private void OnEntry(InotifyEvent happened, string path, string? from)
    {
        if (happened.Has(Inotify.Created | Inotify.MovedTo))
        {
            if (!_found.Remove(path))
            {
                Tell(new FileChange(path, FileAction.Created, from));
                _writes!.OnCreated(path);
            }

            if (happened.Has(Inotify.IsFolder))
            {
                OnFolder(path);
            }
        }
        else if (happened.Has(Inotify.Deleted | Inotify.MovedFrom))
        {
            if (happened.Has(Inotify.IsFolder) && happened.Has(Inotify.MovedFrom))
            {
                Drop(folder => folder == path || WatchedPath.IsBelow(folder, path));
            }

            _writes!.OnGone(path);
            Tell(new FileChange(path, FileAction.Deleted));
        }
        else if (IsCovered(path))
        {
            _writes!.OnWritten(path, isClosed: happened.Has(Inotify.CloseWrite));
        }
    }

    private void OnFolder(string path)
    {
        foreach (var watched in _paths.Keys)
        {
            if (watched.IsBelow(path))
            {
                Settle(watched, tell: true);
            }
            else if (watched.Path == path || (watched.Recursive && WatchedPath.IsBelow(path, watched.Path)))
            {
                WatchFolders(path, watched.Recursive, tell: true);
            }
        }
    }

    /// <summary>Watches a path where it is, and the nearest folder above it, where it would come and go.</summary>
    private void Settle(WatchedPath watched, bool tell)
    {
        for (var above = Path.GetDirectoryName(watched.Path); above is not null && !WatchFolder(above); above = Path.GetDirectoryName(above))
        {
        }

        // It may have come with the folders above it, before those were watched.
        if (tell && !_watches.ContainsKey(watched.Path) && Path.Exists(watched.Path) && _found.Add(watched.Path))
        {
            Tell(new FileChange(watched.Path, FileAction.Created));
        }

        WatchFolders(watched.Path, watched.Recursive, tell);
    }

    private void WatchFolders(string path, bool recursive, bool tell)
    {
        var waiting = new Stack<string>([path]);
        while (waiting.TryPop(out var folder))
        {
            if (!WatchFolder(folder, Inotify.DontFollow, isPath: folder == path) || (!recursive && !tell))
            {
                continue;
            }

            foreach (var (entry, isFolder) in Entries(folder))
            {
                if (tell && _found.Add(entry))
                {
                    Tell(new FileChange(entry, FileAction.Created));
                }

                if (recursive && isFolder && !Skipped.Contains(entry))
                {
                    waiting.Push(entry);
                }
            }
        }
    }

    private bool WatchFolder(string path, uint how = 0, bool isPath = true)
    {
        if (_watches.ContainsKey(path))
        {
            return true;
        }

        if (_folders.Count >= EventCatalogue.MostFolders)
        {
            if (!_isFull)
            {
                _isFull = true;
                Missed?.Invoke($"more than {EventCatalogue.MostFolders} folders are watched; the others are not");
            }

            return false;
        }

        // What was asked for may be a link to a folder; what is found below is not followed.
        if (_inotify!.Watch(path, Mask | (isPath ? 0 : how)) is not { } watch)
        {
            return false;
        }

        if (_folders.TryGetValue(watch, out var other))
        {
            // The same folder by another name.
            _watches.Remove(other);
        }

        (_folders[watch], _watches[path]) = (path, watch);
        return true;
    }

    /// <summary>The kernel has ended a watch, as its folder is gone.</summary>
    private void Forget(int watch)
    {
        if (!_folders.Remove(watch, out var path))
        {
            return;
        }

        _watches.Remove(path);
        foreach (var watched in _paths.Keys.Where(watched => watched.Path == path || watched.IsBelow(path)))
        {
            Settle(watched, tell: true);
        }
    }

    private void Drop(Func<string, bool> which)
    {
        foreach (var (path, watch) in _watches.Where(entry => which(entry.Key)).ToList())
        {
            _watches.Remove(path);
            _folders.Remove(watch);
            _inotify!.Unwatch(watch);
        }
    }

    private void Tell(FileChange change)
    {
        if (IsCovered(change.Path))
        {
            Changed?.Invoke(change);
        }
    }

    private bool IsCovered(string path) => _paths.Keys.Any(watched => watched.Covers(path));

    private static List<(string Path, bool IsFolder)> Entries(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().Select(
                entry => (entry.FullName, entry is DirectoryInfo && entry.LinkTarget is null))];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
