using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>epoll. Numbers are those of Linux on x86-64.</summary>
internal static unsafe partial class Epoll
{
    private const string Library = "libc";

    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 1;
    public const uint EPOLLOUT = 4;
    public const uint EPOLLERR = 8;
    public const uint EPOLLHUP = 0x10;
    public const uint EPOLLET = 0x80000000;

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int fd, Event* change);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_wait(int epoll, Event* events, int count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Event
    {
        public uint Events;
        public long Data;
    }
}
