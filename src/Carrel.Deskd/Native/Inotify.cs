using System.Runtime.InteropServices;
using System.Text;

namespace Carrel.Deskd.Native;

/// <summary>One notification of inotify(7).</summary>
/// <param name="Name">The entry of the watched folder it is about; empty when it is about what is watched itself.</param>
internal readonly record struct InotifyEvent(int Watch, uint Mask, uint Cookie, string Name)
{
    public bool Has(uint mask) => (Mask & mask) != 0;
}

/// <summary>An inotify instance that is read without waiting.</summary>
internal sealed class Inotify : IDisposable
{
    public const uint Modify = 0x2;
    public const uint CloseWrite = 0x8;
    public const uint Open = 0x20;
    public const uint MovedFrom = 0x40;
    public const uint MovedTo = 0x80;
    public const uint Created = 0x100;
    public const uint Deleted = 0x200;
    public const uint Overflow = 0x4000;
    public const uint Ignored = 0x8000;
    public const uint OnlyFolders = 0x1000000;
    public const uint DontFollow = 0x2000000;
    public const uint IsFolder = 0x40000000;
    private const int HeaderBytes = 16;
    private readonly Descriptor _descriptor = Descriptor.Of(Libc.inotify_init1(Libc.O_CLOEXEC | Libc.O_NONBLOCK), "an inotify instance");
    private readonly byte[] _buffer = new byte[16 * 1024];

    public int Fd => _descriptor.Fd;

    /// <summary>The number of the watch, or null when there is nothing to watch (any more) or no watch left.</summary>
    public int? Watch(string path, uint mask) => Libc.inotify_add_watch(Fd, path, mask) is >= 0 and var watch ? watch : null;

    public void Unwatch(int watch) => _ = Libc.inotify_rm_watch(Fd, watch);

    /// <summary>All that has happened by now; to be read to the end before the next call.</summary>
    public IEnumerable<InotifyEvent> Read()
    {
        while (Fill() is > 0 and var filled)
        {
            for (var at = 0; at < filled;)
            {
                yield return Parse(at, out var next);
                at = next;
            }
        }
    }

    public void Dispose() => _descriptor.Dispose();

    private unsafe int Fill()
    {
        fixed (byte* buffer = _buffer)
        {
            return (int)Libc.read(Fd, buffer, _buffer.Length);
        }
    }

    private InotifyEvent Parse(int at, out int next)
    {
        var header = MemoryMarshal.Cast<byte, uint>(_buffer.AsSpan(at, HeaderBytes));
        var name = _buffer.AsSpan(at + HeaderBytes, (int)header[3]);
        next = at + HeaderBytes + name.Length;
        return new InotifyEvent((int)header[0], header[1], header[2], Encoding.UTF8.GetString(name.TrimEnd((byte)0)));
    }
}
