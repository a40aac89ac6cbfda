using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>A nameless file in memory: how text too long for an argument reaches a child.</summary>
internal static unsafe class Memfd
{
    public static Descriptor Create(string name, ReadOnlySpan<byte> content)
    {
        var file = Descriptor.Of(Libc.memfd_create(name, Libc.MFD_CLOEXEC), "a memory file");
        fixed (byte* start = content)
        {
            for (var at = 0; at < content.Length;)
            {
                var written = (int)Libc.write(file.Fd, start + at, content.Length - at);
                if (written <= 0)
                {
                    file.Dispose();
                    throw Errno.Failed($"writing {content.Length} bytes to a memory file");
                }

                at += written;
            }
        }

        _ = Libc.lseek(file.Fd, 0, 0);
        return file;
    }

    /// <summary>The first bytes of a file that a child wrote.</summary>
    public static byte[] ReadAll(Descriptor file, int limit)
    {
        var bytes = new byte[limit];
        _ = Libc.lseek(file.Fd, 0, 0);
        var count = 0;
        fixed (byte* start = bytes)
        {
            for (int read; count < limit && (read = (int)Libc.read(file.Fd, start + count, limit - count)) > 0;)
            {
                count += read;
            }
        }

        return bytes[..count];
    }
}
