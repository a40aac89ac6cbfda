using System.Runtime.InteropServices;

namespace Carrel.Deskd.Tests.World;

internal static partial class Native
{
    private const int O_WRONLY_CREAT_CLOEXEC = 0x1 | 0x40 | 0x80000;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags, int mode);

    public static int OpenForWriting(string path) => open(path, O_WRONLY_CREAT_CLOEXEC, 0x180);
}
