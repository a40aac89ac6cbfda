using System.Buffers.Binary;
using System.Text;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Clipboard;

/// <summary>
/// The clipboard while it is ours: serves the text to whoever asks (ICCCM section 2.2) until another program takes the
/// clipboard. Nothing is left of it then.
/// </summary>
internal sealed class HeldSelection
{
    /// <summary>Longer texts go in pieces of this size: a request may have 256 KB, and every piece waits for its reader.</summary>
    private const int PieceBytes = 128 * 1024;

    private readonly XDisplay _display;
    private readonly ClipboardAtoms _atoms;
    private readonly TimeProvider _time;
    private readonly byte[] _text;
    private readonly uint _window;
    private readonly TaskCompletionSource<uint> _timestamp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HeldSelection(XDisplay display, ClipboardAtoms atoms, byte[] text, TimeProvider time)
    {
        (_display, _atoms, _text, _time) = (display, atoms, text, time);
        _window = display.Connection.CreateHiddenWindow(XCore.PropertyChangeMask);
        display.EventReceived += OnEvent;
    }

    /// <summary>Takes the clipboard; false when another program took it at the same moment.</summary>
    public static async Task<bool> TakeAsync(XDisplay display, ClipboardAtoms atoms, byte[] text, TimeProvider time)
    {
        var held = new HeldSelection(display, atoms, text, time);

        // The server's time, which it tells with any change of a property.
        display.Connection.Send(new XBatch().Begin(XCore.ChangeProperty, 0).U32(held._window).U32(atoms.Property)
            .U32(XCore.IntegerAtom).U8(32).Zeros(3).U32(0).End());
        await display.SyncAsync();
        var now = await held._timestamp.Task;
        var owner = await display.Connection.AskAsync(new XBatch()
            .Begin(XCore.SetSelectionOwner).U32(held._window).U32(atoms.Clipboard).U32(now).End()
            .Begin(XCore.GetSelectionOwner).U32(atoms.Clipboard).End());
        if (owner.U32(8) == held._window)
        {
            return true;
        }

        held.Release();
        return false;
    }

    private void Release()
    {
        _display.EventReceived -= OnEvent;
        _display.Connection.TrySend(new XBatch().Begin(XCore.DestroyWindow).U32(_window).End());
    }

    private void OnEvent(XPacket packet)
    {
        switch (packet.Code)
        {
            case XCore.PropertyNotify when packet.U32(4) == _window:
                _timestamp.TrySetResult(packet.U32(12));
                break;
            case XCore.SelectionClear when packet.U32(8) == _window:
                Release();
                break;
            case XCore.SelectionRequest when packet.U32(8) == _window && packet.U32(16) == _atoms.Clipboard:
                _ = ServeAsync(new Request(packet.U32(12), packet.U32(16), packet.U32(20), packet.U32(24), packet.U32(4)));
                break;
        }
    }

    private async Task ServeAsync(Request request)
    {
        try
        {
            // Old clients leave the property out and mean the target's name.
            var property = request.Property == XCore.None ? request.Target : request.Property;
            if (Form(request.Target) is not var (type, format, bytes))
            {
                Notify(request, XCore.None);
            }
            else if (bytes.Length <= PieceBytes)
            {
                Write(request.Window, property, type, format, bytes);
                Notify(request, property);
            }
            else
            {
                using var transfer = new IncrementalTransfer(_display, request.Window, property, _time);
                transfer.Announce(_atoms.Incr, bytes.Length);
                Notify(request, property);
                var left = bytes.AsMemory();
                for (var ended = false; !ended && await transfer.IsTakenAsync();)
                {
                    // The last piece is empty, which is the end.
                    ended = left.IsEmpty;
                    var piece = left[..Math.Min(left.Length, PieceBytes)];
                    Write(request.Window, property, type, format, piece.Span);
                    left = left[piece.Length..];
                }
            }
        }
        catch (XDisconnectedException)
        {
            // The selection went with its server.
        }
    }

    /// <summary>The text in the form asked for, or null when there is no such form.</summary>
    private (uint Type, byte Format, byte[] Bytes)? Form(uint target)
    {
        if (target == _atoms.Targets)
        {
            return (XCore.AtomAtom, 32, Words([
                _atoms.Targets, _atoms.Timestamp, _atoms.Utf8String, _atoms.PlainTextUtf8, _atoms.PlainText, _atoms.Text, XCore.StringAtom]));
        }

        if (target == _atoms.Timestamp)
        {
            return (XCore.IntegerAtom, 32, Words([_timestamp.Task.Result]));
        }

        if (target == _atoms.Utf8String || target == _atoms.PlainTextUtf8 || target == _atoms.PlainText || target == _atoms.Text)
        {
            return (target == _atoms.Text ? _atoms.Utf8String : target, 8, _text);
        }

        return target == XCore.StringAtom ? (target, 8, Encoding.Convert(Encoding.UTF8, Encoding.Latin1, _text)) : null;
    }

    private void Write(uint window, uint property, uint type, byte format, ReadOnlySpan<byte> bytes) =>
        _display.Connection.Send(new XBatch().Begin(XCore.ChangeProperty, 0).U32(window).U32(property).U32(type)
            .U8(format).Zeros(3).U32((uint)(bytes.Length / (format / 8))).Bytes(bytes).End());

    private void Notify(Request request, uint property) =>
        _display.Connection.Send(new XBatch().Begin(XCore.SendEvent, 0).U32(request.Window).U32(0)
            .U8(XCore.SelectionNotify).Zeros(3).U32(request.Time).U32(request.Window).U32(request.Selection)
            .U32(request.Target).U32(property).Zeros(8).End());

    private static byte[] Words(ReadOnlySpan<uint> values)
    {
        var bytes = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), values[i]);
        }

        return bytes;
    }

    private readonly record struct Request(uint Window, uint Selection, uint Target, uint Property, uint Time);
}
