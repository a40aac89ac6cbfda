using System.Runtime.InteropServices;

namespace Carrel.Machines.Native;

/// <summary>The libc calls this project needs. Each fails as libc does; <see cref="Errno"/> turns that into a sentence.</summary>
internal static unsafe partial class Libc
{
    internal const int AtFdCwd = -100;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Syscall(long number, long a, long b, long c, long d, long e);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(int fd, int command, long argument);

    /// <summary>A copy of a descriptor with a number of at least <paramref name="least"/>, closed on exec.</summary>
    internal static int DuplicateAbove(int fd, int least) => FileControl(fd, 1030, least);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Ioctl(int fd, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    internal static partial int SyncFileSystem(int fd);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int Allocate(int fd, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(int fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeDirectoryAt(int directory, string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int RemoveDirectory(string path);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int socket, int backlog);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeOwner(string path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeNode(string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MemfdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "setfsuid", SetLastError = true)]
    internal static partial int SetFsUid(uint uid);

    [LibraryImport("libc", EntryPoint = "setfsgid", SetLastError = true)]
    internal static partial int SetFsGid(uint gid);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int Prctl(int option, ulong a, ulong b, ulong c, ulong d);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int fd, EpollEvent* ev);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, EpollEvent* events, int max, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    internal static partial int WaitId(int type, uint id, byte* info, int options);

    // glibc's spawn attributes and signal sets cannot fail for the values used here: their results are dropped.
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    internal static partial void SpawnActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    internal static partial void SpawnActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    internal static partial int SpawnActionsAddDup2(byte* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    internal static partial int SpawnActionsAddCloseFrom(byte* actions, int from);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    internal static partial void SpawnAttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    internal static partial void SpawnAttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    internal static partial void SpawnAttributesSetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    internal static partial void SpawnAttributesSetSignalMask(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    internal static partial void SpawnAttributesSetSignalDefault(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    internal static partial void SignalFillSet(byte* set);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    internal static partial void SignalEmptySet(byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SpawnPath(out int pid, string file, byte* actions, byte* attributes, byte** argv, byte** envp);

    /// <summary>A detached copy of the mount at <paramref name="path"/> (open_tree with OPEN_TREE_CLONE).</summary>
    internal static int OpenTreeClone(string path)
    {
        const long OpenTreeCloneFlag = 1, CloseOnExec = 0x80000;
        var bytes = Terminated(path);
        fixed (byte* p = bytes)
        {
            return (int)Syscall(428, AtFdCwd, (long)p, OpenTreeCloneFlag | CloseOnExec, 0, 0);
        }
    }

    internal static int MoveMount(int from, string to)
    {
        const long FromEmptyPath = 4;
        fixed (byte* empty = new byte[1], p = Terminated(to))
        {
            return (int)Syscall(429, from, (long)empty, AtFdCwd, (long)p, FromEmptyPath);
        }
    }

    internal static int FsOpen(string type)
    {
        fixed (byte* p = Terminated(type))
        {
            return (int)Syscall(430, (long)p, 1, 0, 0, 0);
        }
    }

    internal static int FsConfigString(int fs, string key, string value)
    {
        fixed (byte* k = Terminated(key), v = Terminated(value))
        {
            return (int)Syscall(431, fs, 1, (long)k, (long)v, 0);
        }
    }

    internal static int FsConfigFlag(int fs, string key)
    {
        fixed (byte* k = Terminated(key))
        {
            return (int)Syscall(431, fs, 0, (long)k, 0, 0);
        }
    }

    internal static int FsConfigCreate(int fs) => (int)Syscall(431, fs, 6, 0, 0, 0);

    internal static int FsMount(int fs, uint attributes) => (int)Syscall(432, fs, 1, attributes, 0, 0);

    internal static int MountSetAttributes(int mount, in MountAttributes attributes)
    {
        const long EmptyPath = 0x1000;
        fixed (byte* empty = new byte[1])
        fixed (MountAttributes* p = &attributes)
        {
            return (int)Syscall(442, mount, (long)empty, EmptyPath, (long)p, sizeof(MountAttributes));
        }
    }

    /// <summary>Attaches a detached mount to <paramref name="name"/> in an open folder.</summary>
    internal static int MoveMountTo(int from, int folder, byte* name)
    {
        const long FromEmptyPath = 4;
        byte empty = 0;
        return (int)Syscall(429, from, (long)(&empty), folder, (long)name, FromEmptyPath);
    }

    /// <summary>Whether a descriptor lies in /proc's or /sys' file system.</summary>
    internal static bool IsKernelFileSystem(int fd)
    {
        const long Proc = 0x9fa0, Sys = 0x62656572;
        var buffer = stackalloc long[32];
        return FileSystemOf(fd, buffer) == 0 && buffer[0] is Proc or Sys;
    }

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int FileSystemOf(int fd, long* buffer);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    internal static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    internal static partial int SetNamespace(int fd, int kind);

    [LibraryImport("libc", EntryPoint = "fchdir", SetLastError = true)]
    internal static partial int ChangeFolder(int fd);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    internal static partial int OpenAt(int folder, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true)]
    internal static partial int UnmountAt(byte* target, int flags);

    internal static int PidfdOpen(int pid) => (int)Syscall(434, pid, 0, 0, 0, 0);

    internal static int PidfdSendSignal(int pidfd, int signal) => (int)Syscall(424, pidfd, signal, 0, 0, 0);

    internal static byte[] Terminated(string text) => [.. System.Text.Encoding.UTF8.GetBytes(text), 0];

    [StructLayout(LayoutKind.Sequential)]
    internal struct MountAttributes
    {
        internal ulong Set;
        internal ulong Clear;
        internal ulong Propagation;
        internal ulong UserNamespaceFd;
    }

    // On x86-64 the kernel packs this struct.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    internal struct EpollEvent
    {
        internal uint Events;
        internal long Data;
    }
}
