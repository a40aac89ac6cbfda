using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>What one asks of a pseudo-terminal. Numbers are those of Linux on x86-64.</summary>
internal static unsafe partial class Tty
{
    private const string Library = "libc";

    public const int O_RDWR = 2;
    public const int O_NOCTTY = 0x100;
    public const uint IUTF8 = 0x4000;
    private const nuint TCGETS = 0x5401;
    private const nuint TCSETS = 0x5402;
    private const nuint TIOCSWINSZ = 0x5414;
    private const nuint TIOCGPTN = 0x80045430;
    private const nuint TIOCSPTLCK = 0x40045431;

    /// <summary>A new pair's near end, not blocking; <paramref name="farEnd"/> is the path of the other.</summary>
    public static Descriptor OpenPair(out string farEnd)
    {
        var near = Descriptor.Of(Libc.open("/dev/ptmx", O_RDWR | O_NOCTTY | Libc.O_CLOEXEC | Libc.O_NONBLOCK), "a pseudo-terminal");
        int locked = 0, number;
        if (ioctl(near.Fd, TIOCSPTLCK, &locked) < 0 || ioctl(near.Fd, TIOCGPTN, &number) < 0)
        {
            var problem = Errno.Failed("a pseudo-terminal's other end");
            near.Dispose();
            throw problem;
        }

        farEnd = $"/dev/pts/{number}";
        return near;
    }

    public static void SetSize(Descriptor near, int columns, int rows)
    {
        var size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        if (ioctl(near.Fd, TIOCSWINSZ, size) < 0)
        {
            throw Errno.Failed($"setting a terminal's size to {columns} x {rows}");
        }
    }

    /// <summary>Lets erasing a character erase all its bytes.</summary>
    public static void SetUtf8(Descriptor near)
    {
        // The kernel's termios: four words of flags, the line discipline, 19 control characters.
        var modes = stackalloc uint[16];
        if (ioctl(near.Fd, TCGETS, modes) < 0)
        {
            throw Errno.Failed("reading a terminal's modes");
        }

        modes[0] |= IUTF8;
        if (ioctl(near.Fd, TCSETS, modes) < 0)
        {
            throw Errno.Failed("setting a terminal's modes");
        }
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, void* argument);
}
