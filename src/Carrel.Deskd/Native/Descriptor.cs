using Microsoft.Win32.SafeHandles;

namespace Carrel.Deskd.Native;

/// <summary>A file descriptor that is closed exactly once.</summary>
internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    public int Fd => (int)handle;

    public static Descriptor Of(int fd, string what) => fd >= 0 ? new Descriptor(fd) : throw Errno.Failed(what);

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
