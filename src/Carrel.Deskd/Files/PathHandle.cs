using System.Runtime.InteropServices;
using Carrel.Contracts;
using Carrel.Contracts.Files;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>
/// What a path leads to, held without being opened: to hold a pipe or a device this way has no effect on it and waits for
/// nobody. What is done afterwards is done to the thing held, whatever the path has come to mean meanwhile.
/// </summary>
internal sealed unsafe class PathHandle : IDisposable
{
    private readonly Descriptor _descriptor;

    private PathHandle(Descriptor descriptor, FileStatus status) => (_descriptor, Status) = (descriptor, status);

    public FileStatus Status { get; }

    public int Fd => _descriptor.Fd;

    /// <summary>Null where there is nothing, with the reason in errno.</summary>
    public static PathHandle? TryOpen(ReadOnlySpan<byte> path)
    {
        fixed (byte* start = path)
        {
            var fd = Libc.openat(Libc.AT_FDCWD, start, Libc.O_PATH | Libc.O_CLOEXEC, 0);
            if (fd < 0)
            {
                return null;
            }

            var descriptor = new Descriptor(fd);
            if (FileStatus.Of(descriptor) is { } status)
            {
                return new PathHandle(descriptor, status);
            }

            descriptor.Dispose();
            return null;
        }
    }

    /// <summary>Opens what is held for reading; null with the reason in errno.</summary>
    public Descriptor? OpenToRead()
    {
        fixed (byte* path = System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{Fd}\0"))
        {
            // Not waiting: somebody may hold a lease on the file.
            var fd = Libc.openat(Libc.AT_FDCWD, path, Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_CLOEXEC | (Status.IsFolder ? Libc.O_DIRECTORY : 0), 0);
            return fd < 0 ? null : new Descriptor(fd);
        }
    }

    /// <summary>The path of what is held, with every symbolic link followed.</summary>
    public byte[] RealPath() =>
        FileStatus.TargetOf(Libc.AT_FDCWD, System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{Fd}\0")) ?? throw Errno.Failed("the path of an open file");

    /// <summary>Bytes that can still be written where it is.</summary>
    public long Available()
    {
        Libc.Statvfs space;
        return Libc.fstatvfs(Fd, &space) == 0 ? (long)Math.Min(space.Available * space.FragmentSize, long.MaxValue) : long.MaxValue;
    }

    public void Dispose() => _descriptor.Dispose();
}

/// <summary>Folders and names by path.</summary>
internal static unsafe class PathCalls
{
    public const uint FolderMode = 0x1ed; // 0755

    /// <summary>Makes one folder; 0 or errno.</summary>
    public static int MakeFolder(ReadOnlySpan<byte> path, uint mode = FolderMode)
    {
        fixed (byte* start = path)
        {
            return Libc.mkdirat(Libc.AT_FDCWD, start, mode) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Makes the folders above the last name that are missing; 0 or errno.</summary>
    public static int MakeParents(byte[] path)
    {
        var end = Array.LastIndexOf(path, (byte)'/');
        for (var slash = Array.IndexOf(path, (byte)'/', 1); slash > 0 && slash <= end; slash = Array.IndexOf(path, (byte)'/', slash + 1))
        {
            if (MakeFolder([.. path.AsSpan(0, slash), 0]) is not (0 or Libc.EEXIST) and var errno)
            {
                return errno;
            }
        }

        return 0;
    }

    public static int Rename(int fromFolder, byte[] from, int toFolder, byte[] to, bool overwrite)
    {
        fixed (byte* source = from, target = to)
        {
            return Libc.renameat2(fromFolder, source, toFolder, target, overwrite ? 0 : Libc.RENAME_NOREPLACE) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>The folder of a path and the name in it, both with their null.</summary>
    public static (byte[] Folder, byte[] Name) Split(byte[] path)
    {
        var slash = Array.LastIndexOf(path, (byte)'/');
        return ([.. path.AsSpan(0, Math.Max(slash, 1)), 0], path[(slash + 1)..]);
    }
}
