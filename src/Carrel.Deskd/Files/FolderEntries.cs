using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>The names in a folder, as many at a time as a buffer holds: a folder of a million files costs no more memory than one of ten.</summary>
internal sealed unsafe class FolderEntries(Descriptor folder)
{
    private const int HeaderBytes = 19; // d_ino, d_off, d_reclen, d_type
    private const byte FolderType = 4;
    private readonly byte[] _buffer = new byte[32 * 1024];

    /// <summary>The next names, each with its null, without the two dots; empty at the end.</summary>
    /// <returns>Null where the kernel refuses, with the reason in errno.</returns>
    public List<(byte[] Name, bool IsFolder)>? Next()
    {
        var names = new List<(byte[], bool)>();
        while (names.Count == 0)
        {
            nint length;
            fixed (byte* start = _buffer)
            {
                length = Libc.getdents64(folder.Fd, start, _buffer.Length);
            }

            if (length <= 0)
            {
                return length == 0 ? names : null;
            }

            for (var at = 0; at < length;)
            {
                var size = MemoryMarshal.Read<ushort>(_buffer.AsSpan(at + 16));
                var name = _buffer.AsSpan(at + HeaderBytes, size - HeaderBytes);
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                {
                    names.Add((name.ToArray(), _buffer[at + HeaderBytes - 1] == FolderType));
                }

                at += size;
            }
        }

        return names;
    }

    public void Rewind() => _ = Libc.lseek(folder.Fd, 0, 0);
}
