using System.Buffers.Binary;
using System.Text;

namespace Carrel.Deskd.X11;

/// <summary>Numbers and requests of the core protocol that more than one part uses.</summary>
internal static class XCore
{
    public const byte CreateWindow = 1;
    public const byte ChangeWindowAttributes = 2;
    public const byte GetWindowAttributes = 3;
    public const byte DestroyWindow = 4;
    public const byte InternAtom = 16;
    public const byte ChangeProperty = 18;
    public const byte GetProperty = 20;
    public const byte SetSelectionOwner = 22;
    public const byte GetSelectionOwner = 23;
    public const byte ConvertSelection = 24;
    public const byte SendEvent = 25;
    public const byte GrabServer = 36;
    public const byte UngrabServer = 37;
    public const byte QueryPointer = 38;
    public const byte GetInputFocus = 43;
    public const byte GetImage = 73;
    public const byte QueryExtension = 98;
    public const byte ChangeKeyboardMapping = 100;
    public const byte GetKeyboardMapping = 101;
    public const byte GetModifierMapping = 119;

    public const byte DestroyNotify = 17;
    public const byte UnmapNotify = 18;
    public const byte MapNotify = 19;
    public const byte ConfigureNotify = 22;
    public const byte PropertyNotify = 28;
    public const byte SelectionClear = 29;
    public const byte SelectionRequest = 30;
    public const byte SelectionNotify = 31;
    public const byte MappingNotify = 34;

    /// <summary>CWEventMask.</summary>
    public const uint EventMaskAttribute = 0x800;

    /// <summary>AnyPropertyType; also None and CurrentTime, where a request takes those.</summary>
    public const uint None = 0;

    /// <summary>Predefined atoms.</summary>
    public const uint AtomAtom = 4;
    public const uint IntegerAtom = 19;
    public const uint StringAtom = 31;

    public const uint StructureNotifyMask = 1 << 17;
    public const uint SubstructureNotifyMask = 1 << 19;
    public const uint PropertyChangeMask = 1 << 22;

    /// <summary>The cheapest request with a reply: once it is answered, everything before it is done.</summary>
    public static XBatch Sync(XBatch batch) => batch.Begin(GetInputFocus).End();

    public static async Task<uint> AtomAsync(this XConnection connection, string name)
    {
        var reply = await connection.AskAsync(
            new XBatch().Begin(InternAtom).U16(name.Length).U16(0).Bytes(Encoding.ASCII.GetBytes(name)).End());
        return reply.U32(8);
    }

    /// <summary>Creates a window that is never shown, to own a selection or take properties.</summary>
    public static uint CreateHiddenWindow(this XConnection connection, uint eventMask)
    {
        const ushort inputOnly = 2;
        var window = connection.NewId();
        connection.Send(new XBatch().Begin(CreateWindow).U32(window).U32(connection.Setup.Root)
            .U16(0).U16(0).U16(1).U16(1).U16(0).U16(inputOnly).U32(0).U32(EventMaskAttribute).U32(eventMask).End());
        return window;
    }

    /// <summary>Sends requests whose fate does not matter once the server is gone.</summary>
    public static void TrySend(this XConnection connection, XBatch batch)
    {
        try
        {
            connection.Send(batch);
        }
        catch (XDisconnectedException)
        {
            // What they were to undo went with the server.
        }
    }

    /// <summary>A property's type and bytes, up to <paramref name="most"/> (a multiple of 4), and how many bytes are left behind.</summary>
    public static async Task<(uint Type, ReadOnlyMemory<byte> Bytes, uint Left)> PropertyBytesAsync(
        this XConnection connection, uint window, uint property, int most, bool delete = false)
    {
        var reply = await connection.AskAsync(new XBatch().Begin(GetProperty, delete ? (byte)1 : (byte)0)
            .U32(window).U32(property).U32(None).U32(0).U32((uint)most / 4).End());
        var length = checked((int)(reply.U32(16) * (uint)(reply.U8(1) / 8)));
        return (reply.U32(8), reply.Memory.Slice(32, length), reply.U32(12));
    }

    /// <summary>A property made of 32-bit values (windows, atoms, cardinals); empty when the window has no such property.</summary>
    public static async Task<uint[]> PropertyAsync(this XConnection connection, uint window, uint property)
    {
        var reply = await connection.AskAsync(
            new XBatch().Begin(GetProperty).U32(window).U32(property).U32(0).U32(0).U32(4096).End());
        if (reply.U8(1) != 32)
        {
            return [];
        }

        var values = new uint[reply.U32(16)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadUInt32LittleEndian(reply.Span[(32 + (i * 4))..]);
        }

        return values;
    }
}
