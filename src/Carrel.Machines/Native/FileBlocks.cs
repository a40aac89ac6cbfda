using System.Runtime.InteropServices;

namespace Carrel.Machines.Native;

/// <summary>How much of a sparse file is really there.</summary>
internal static unsafe partial class FileBlocks
{
    /// <summary>Bytes allocated on disk, which for a sparse file is less than its length.</summary>
    internal static long Allocated(string path)
    {
        const int StatxBlocks = 0x400, BlocksOffset = 48;
        var buffer = stackalloc byte[256];
        Errno.Check(Statx(Libc.AtFdCwd, path, 0, StatxBlocks, buffer), $"look at {path}");
        return *(long*)(buffer + BlocksOffset) * 512;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);
}
