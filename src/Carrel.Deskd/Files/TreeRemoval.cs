using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>
/// Deletes a folder with all that is in it, by the folders' own handles, so that nothing that is moved or linked meanwhile
/// leads outside.
/// </summary>
internal sealed unsafe class TreeRemoval : IDisposable
{
    private readonly Stack<(Descriptor Folder, byte[] Name)> _inside = new();

    private TreeRemoval()
    {
    }

    /// <summary>Deletes one thing; 0 or errno.</summary>
    public static int Remove(byte[] path, bool recursive, CancellationToken cancellationToken)
    {
        var errno = Unlink(Libc.AT_FDCWD, path, 0);
        if (errno != Libc.EISDIR)
        {
            return errno;
        }

        errno = Unlink(Libc.AT_FDCWD, path, Libc.AT_REMOVEDIR);
        if (errno != Libc.ENOTEMPTY || !recursive)
        {
            return errno;
        }

        using var removal = new TreeRemoval();
        return removal.Run(path, cancellationToken);
    }

    public void Dispose()
    {
        while (_inside.TryPop(out var folder))
        {
            folder.Folder.Dispose();
        }
    }

    private int Run(byte[] path, CancellationToken cancellationToken)
    {
        if (Enter(Libc.AT_FDCWD, path) is not 0 and var outside)
        {
            return outside;
        }

        while (_inside.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (errno, entered) = Clear(_inside.Peek().Folder);
            if (errno == 0 && !entered)
            {
                var (folder, name) = _inside.Pop();
                folder.Dispose();
                errno = Unlink(_inside.Count > 0 ? _inside.Peek().Folder.Fd : Libc.AT_FDCWD, name, Libc.AT_REMOVEDIR);
            }

            if (errno is not (0 or Libc.ENOENT))
            {
                return errno;
            }
        }

        return 0;
    }

    /// <summary>Deletes the files in a folder until it is empty or a folder in it had to be entered.</summary>
    private (int Errno, bool Entered) Clear(Descriptor folder)
    {
        var entries = new FolderEntries(folder);
        entries.Rewind();
        var isFound = false;
        while (entries.Next() is { } names)
        {
            if (names.Count == 0 && !isFound)
            {
                return (0, false);
            }

            // A file system may skip names while others go; it is empty when a look from the start finds none.
            isFound = names.Count > 0;
            if (!isFound)
            {
                entries.Rewind();
            }

            foreach (var (name, isFolder) in names)
            {
                var errno = isFolder ? Libc.EISDIR : Unlink(folder.Fd, name, 0);
                if (errno == Libc.EISDIR)
                {
                    return (Enter(folder.Fd, name), true);
                }

                if (errno is not (0 or Libc.ENOENT))
                {
                    return (errno, false);
                }
            }
        }

        return (Marshal.GetLastPInvokeError(), false);
    }

    private int Enter(int parent, byte[] name)
    {
        fixed (byte* start = name)
        {
            var fd = Libc.openat(parent, start, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
            if (fd < 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            _inside.Push((new Descriptor(fd), name));
            return 0;
        }
    }

    private static int Unlink(int folder, byte[] name, int flags)
    {
        fixed (byte* start = name)
        {
            return Libc.unlinkat(folder, start, flags) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }
}
