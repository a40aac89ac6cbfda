using System.Runtime.InteropServices;

namespace Carrel.Machines.Native;

/// <summary>
/// Lets the calling thread create files as another user while it keeps all its capabilities. Needed where an ID-mapped
/// mount maps only the guest's range: host uid 0 does not exist there, so creating as 0 fails with EOVERFLOW. The scope
/// must not span an <c>await</c>: it belongs to the thread.
/// </summary>
internal readonly ref struct FsIdentity
{
    private const int SetSecureBits = 28;
    private const ulong NoSetUidFixup = 1 << 2;

    private FsIdentity(uint id)
    {
        // Without this, leaving uid 0 would drop the file capabilities. It is per thread and harmless to keep.
        Errno.Check(Libc.Prctl(SetSecureBits, NoSetUidFixup, 0, 0, 0), "keep capabilities over a change of the file system uid");
        _ = Libc.SetFsGid(id);
        _ = Libc.SetFsUid(id);
        // setfsuid reports no errors; asking again with an impossible id returns the current one.
        if ((uint)Libc.SetFsUid(uint.MaxValue) != id)
        {
            throw new NativeException($"create files as uid {id}", Marshal.GetLastPInvokeError());
        }
    }

    internal static FsIdentity Assume(uint id) => new(id);

#pragma warning disable CA1822 // A using scope needs it on the instance; the state it ends is the thread's.
    public void Dispose()
#pragma warning restore CA1822
    {
        _ = Libc.SetFsUid(0);
        _ = Libc.SetFsGid(0);
    }
}
