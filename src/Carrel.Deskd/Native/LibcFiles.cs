using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>The system calls on files. Paths are bytes that end with a null: a Linux file name need not be UTF-8.</summary>
internal static unsafe partial class Libc
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ETXTBSY = 26;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int ENAMETOOLONG = 36;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int EDQUOT = 122;

    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_DIRECTORY = 0x10000;
    public const int O_NOFOLLOW = 0x20000;
    public const int O_PATH = 0x200000;
    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_REMOVEDIR = 0x200;
    public const int AT_EMPTY_PATH = 0x1000;
    public const uint STATX_BASIC = 0x7ff;
    public const uint RENAME_NOREPLACE = 1;
    public const int F_SETPIPE_SZ = 1031;
    public const int POSIX_FADV_SEQUENTIAL = 2;

    [LibraryImport(Library, SetLastError = true)]
    public static partial int openat(int folder, byte* path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int statx(int folder, byte* path, int flags, uint mask, Statx* status);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint readlinkat(int folder, byte* path, byte* target, nint size);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int mkdirat(int folder, byte* path, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int unlinkat(int folder, byte* path, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int renameat2(int fromFolder, byte* from, int toFolder, byte* to, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fchmod(int fd, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fchown(int fd, uint owner, uint group);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint getdents64(int fd, byte* buffer, nint size);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fstatvfs(int fd, Statvfs* space);

    [LibraryImport(Library)]
    public static partial int posix_fadvise(int fd, long offset, long length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int dup(int fd);

    [StructLayout(LayoutKind.Sequential)]
    public struct StatxTime
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Reserved;
    }

    /// <summary>struct statx; 256 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    public struct Statx
    {
        public uint Mask;
        public uint BlockSize;
        public ulong Attributes;
        public uint Links;
        public uint Owner;
        public uint Group;
        public ushort Mode;
        public ushort Spare;
        public ulong Inode;
        public ulong Size;
        public ulong Blocks;
        public ulong AttributesMask;
        public StatxTime Accessed;
        public StatxTime Born;
        public StatxTime Changed;
        public StatxTime Modified;
    }

    /// <summary>struct statvfs on x86-64; 112 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 112)]
    public struct Statvfs
    {
        public ulong BlockSize;
        public ulong FragmentSize;
        public ulong Blocks;
        public ulong Free;
        public ulong Available;
    }
}
