using Carrel.Deskd.Native;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screen;

/// <summary>A piece of System V shared memory that the X server writes pictures into.</summary>
internal sealed class SharedSegment : IDisposable
{
    private const int IPC_RMID = 0;
    private const int IPC_CREAT_0600 = 0x200 | 0x180;
    private readonly XDisplay _display;
    private readonly nint _address;
    private bool _released;

    private SharedSegment(XDisplay display, nint address, uint xid, int size) =>
        (_display, _address, Xid, Size) = (display, address, xid, size);

    /// <summary>The segment's name on the X connection.</summary>
    public uint Xid { get; }

    public int Size { get; }

    public unsafe byte* Pixels => (byte*)_address;

    public XDisplay Display => _display;

    public static async Task<SharedSegment> CreateAsync(XDisplay display, int size)
    {
        var id = Libc.shmget(0, (nuint)size, IPC_CREAT_0600);
        if (id < 0)
        {
            throw Errno.Failed($"a shared memory segment of {size} bytes");
        }

        var address = Libc.shmat(id, 0, 0);
        try
        {
            if (address == -1)
            {
                throw Errno.Failed("attaching a shared memory segment");
            }

            var xid = display.Connection.NewId();
            await display.Connection.AskAsync(XCore.Sync(
                new XBatch().Begin(display.Shm.Opcode, 1).U32(xid).U32((uint)id).U8(0).Zeros(3).End()));
            return new SharedSegment(display, address, xid, size);
        }
        finally
        {
            // Marked for removal once both sides hold it, so that no death of ours leaves it behind.
            _ = Libc.shmctl(id, IPC_RMID, 0);
        }
    }

    public void Dispose()
    {
        if (_released)
        {
            return;
        }

        _released = true;
        _ = Libc.shmdt(_address);
        try
        {
            _display.Connection.Send(new XBatch().Begin(_display.Shm.Opcode, 2).U32(Xid).End());
        }
        catch (XDisconnectedException)
        {
            // The server's side went with the server.
        }
    }
}
