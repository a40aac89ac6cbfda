using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Carrel.Machines.Native;

/// <summary>Copies of files: by sharing their blocks where the file system can, else by their contents.</summary>
internal static class SharedBlocks
{
    private const nuint CloneFile = 0x4004_9409;
    private const int SeekData = 3, SeekHole = 4;
    private const int PieceBytes = 1 << 20;

    /// <summary>
    /// Makes <paramref name="target"/> a copy of <paramref name="source"/> as of one moment, sharing every block. False where the two are on
    /// different file systems or theirs cannot do it.
    /// </summary>
    internal static bool TryClone(string source, string target)
    {
        using var from = Fd.Open(source, Fd.ReadOnly);
        using var to = File.OpenHandle(target, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        if (Libc.Ioctl((int)to.DangerousGetHandle(), CloneFile, from.Value) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.CrossDevice or Errno.NotSupported or Errno.Invalid or Errno.NotTty
            ? false
            : throw new NativeException($"share the blocks of {source} with {target}", errno);
    }

    /// <summary>Whether files in <paramref name="folder"/> can share blocks; found by trying.</summary>
    internal static bool Supported(string folder)
    {
        var (source, target) = (Path.Combine(folder, ".probe"), Path.Combine(folder, ".probe2"));
        try
        {
            File.WriteAllBytes(source, new byte[FileSystem.BlockSize]);
            return TryClone(source, target);
        }
        finally
        {
            File.Delete(source);
            File.Delete(target);
        }
    }

    /// <summary>
    /// Brings <paramref name="target"/> to the contents of <paramref name="source"/>, writing only what differs; holes stay holes. What became a
    /// hole in the source since an earlier pass keeps its old contents: nothing refers to it any more.
    /// </summary>
    internal static void CopyDifferences(string source, string target)
    {
        using var from = File.OpenHandle(source);
        using var to = File.OpenHandle(target, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        var length = RandomAccess.GetLength(from);
        if (RandomAccess.GetLength(to) != length)
        {
            RandomAccess.SetLength(to, length);
        }

        var (theirs, ours) = (new byte[PieceBytes], new byte[PieceBytes]);
        foreach (var (start, end) in Extents(from, length))
        {
            for (var at = start; at < end;)
            {
                var piece = theirs.AsSpan(0, (int)Math.Min(PieceBytes, end - at));
                var read = RandomAccess.Read(from, piece, at);
                if (read == 0)
                {
                    break;
                }

                piece = piece[..read];
                var there = RandomAccess.Read(to, ours.AsSpan(0, read), at);
                if (!piece.SequenceEqual(ours.AsSpan(0, there)))
                {
                    RandomAccess.Write(to, piece, at);
                }

                at += read;
            }
        }

        RandomAccess.FlushToDisk(to);
    }

    private static IEnumerable<(long Start, long End)> Extents(SafeFileHandle file, long length)
    {
        for (long end = 0; end < length;)
        {
            var start = Seek(file, end, SeekData);
            if (start < 0)
            {
                yield break;
            }

            end = Seek(file, start, SeekHole);
            yield return (start, end);
        }
    }

    /// <summary>-1 where there is no data any more.</summary>
    private static long Seek(SafeFileHandle file, long offset, int whence)
    {
        var found = Libc.Seek((int)file.DangerousGetHandle(), offset, whence);
        return found >= 0 || Marshal.GetLastPInvokeError() is var errno && errno == Errno.NoDeviceOrAddress
            ? found
            : throw new NativeException("look for data in a disk", errno);
    }
}
