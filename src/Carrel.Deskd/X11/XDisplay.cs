using System.Text;

namespace Carrel.Deskd.X11;

/// <summary>An extension's numbers on this server.</summary>
internal readonly record struct XExtension(byte Opcode, byte FirstEvent);

/// <summary>
/// A connected display: the connection, its extensions, its size. Lives until the X server goes away; then a new one takes
/// its place.
/// </summary>
internal sealed class XDisplay(XConnection connection)
{
    /// <summary>Raised on the reading thread; must not block.</summary>
    public event Action<XPacket>? EventReceived;

    public XConnection Connection => connection;

    public uint Root => connection.Setup.Root;

    /// <summary>Size of the screen, pixels; follows RandR.</summary>
    public (int Width, int Height) Size { get; private set; } = (connection.Setup.Width, connection.Setup.Height);

    public XExtension Test { get; private set; }

    public XExtension Shm { get; private set; }

    public XExtension Damage { get; private set; }

    public XExtension Fixes { get; private set; }

    public XExtension RandR { get; private set; }

    /// <summary>Looks the extensions up and asks for the root window's events. The reading thread must run already.</summary>
    public async Task InitializeAsync()
    {
        // All sent before the first answer is awaited, so this costs one round trip and not ten.
        var shm = FindExtensionAsync("MIT-SHM");
        var test = FindExtensionAsync("XTEST");
        var damage = FindExtensionAsync("DAMAGE");
        var fixes = FindExtensionAsync("XFIXES");
        var randr = FindExtensionAsync("RANDR");
        (Shm, Test, Damage, Fixes, RandR) = (await shm, await test, await damage, await fixes, await randr);
        var versions = new XBatch();
        versions.Begin(Fixes.Opcode, 0).U32(5).U32(0).End();
        var fixesVersion = connection.AskAsync(versions);
        var damageVersion = connection.AskAsync(new XBatch().Begin(Damage.Opcode, 0).U32(1).U32(1).End());
        var randrVersion = connection.AskAsync(new XBatch().Begin(RandR.Opcode, 0).U32(1).U32(4).End());
        connection.Send(new XBatch().Begin(XCore.ChangeWindowAttributes).U32(Root).U32(XCore.EventMaskAttribute)
            .U32(XCore.StructureNotifyMask | XCore.SubstructureNotifyMask | XCore.PropertyChangeMask).End());
        await Task.WhenAll(fixesVersion, damageVersion, randrVersion);
    }

    /// <summary>Takes an event from the connection.</summary>
    public void OnEvent(XPacket packet)
    {
        if (packet.Code == XCore.ConfigureNotify && packet.U32(8) == Root)
        {
            Size = (packet.U16(20), packet.U16(22));
        }

        EventReceived?.Invoke(packet);
    }

    /// <summary>Waits until the server has done all that was sent before.</summary>
    public Task SyncAsync() => connection.AskAsync(XCore.Sync(new XBatch()));

    /// <summary>The numbers of an extension that the server must have.</summary>
    public async Task<XExtension> FindExtensionAsync(string name)
    {
        var reply = await connection.AskAsync(
            new XBatch().Begin(XCore.QueryExtension).U16(name.Length).U16(0).Bytes(Encoding.ASCII.GetBytes(name)).End());
        return reply.U8(8) != 0
            ? new XExtension(reply.U8(9), reply.U8(10))
            : throw new NotSupportedException($"the X server lacks the extension {name}");
    }
}
