using Microsoft.Win32.SafeHandles;

namespace Carrel.Machines.Native;

/// <summary>An owned file descriptor that is no stream: a mount, a namespace, a pidfd, a loop device.</summary>
internal sealed class Fd : SafeHandleMinusOneIsInvalid
{
    internal const int ReadOnly = 0;
    internal const int ReadWrite = 2;
    internal const int Directory = 0x10000;
    internal const int NoFollow = 0x20000;
    internal const int CloseOnExec = 0x80000;

    internal Fd(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    internal int Value => (int)handle;

    internal static Fd Open(string path, int flags)
        => new(Errno.Check(Libc.Open(path, flags | CloseOnExec, 0), $"open {path}"));

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
