using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using Carrel.Contracts.Clipboard;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Clipboard;

/// <summary>
/// Reads the clipboard once: asks its owner for text, and takes large texts in pieces (ICCCM section 2.7.2). What the owner
/// sends has a cap, and how long it takes has one too: the owner is any program.
/// </summary>
internal sealed class SelectionReader : IDisposable
{
    /// <summary>How long an owner may take for its answer or for the next piece.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int MostTargets = 128;
    private const byte NewValue = 0;
    private readonly XDisplay _display;
    private readonly ClipboardAtoms _atoms;
    private readonly TimeProvider _time;
    private readonly Channel<XPacket> _events = Channel.CreateBounded<XPacket>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly uint _window;

    private SelectionReader(XDisplay display, ClipboardAtoms atoms, TimeProvider time)
    {
        (_display, _atoms, _time) = (display, atoms, time);
        _window = display.Connection.CreateHiddenWindow(XCore.PropertyChangeMask);
        display.EventReceived += OnEvent;
    }

    /// <summary>The clipboard's content.</summary>
    /// <exception cref="TimeoutException">The program that owns the clipboard does not answer.</exception>
    public static async Task<ClipboardContent> ReadAsync(XDisplay display, ClipboardAtoms atoms, TimeProvider time)
    {
        using var reader = new SelectionReader(display, atoms, time);
        return await reader.ReadAsync();
    }

    public void Dispose()
    {
        _display.EventReceived -= OnEvent;
        _display.Connection.TrySend(new XBatch().Begin(XCore.DestroyWindow).U32(_window).End());
    }

    private async Task<ClipboardContent> ReadAsync()
    {
        var owner = await _display.Connection.AskAsync(new XBatch().Begin(XCore.GetSelectionOwner).U32(_atoms.Clipboard).End());
        if (owner.U32(8) == XCore.None)
        {
            return ClipboardContent.Empty;
        }

        // Asked first, because some programs give a picture's bytes to whoever asks for text.
        var targets = await ConvertAsync(_atoms.Targets) is { } offered ? Words(offered.Bytes) : null;
        if (targets?.Contains(_atoms.Utf8String) != false && await ConvertAsync(_atoms.Utf8String) is { } utf8)
        {
            return Decode(utf8.Bytes, utf8.Cut);
        }

        if (targets?.Contains(XCore.StringAtom) != false && await ConvertAsync(XCore.StringAtom) is { } latin1)
        {
            // Each of its bytes may become two.
            return Decode(Encoding.Convert(Encoding.Latin1, Encoding.UTF8, latin1.Bytes), latin1.Cut);
        }

        return targets is null ? ClipboardContent.Empty : new ClipboardContent("", await MediaTypeAsync(targets));
    }

    /// <summary>The owner's answer in the form <paramref name="target"/>, or null when it has no such form.</summary>
    private async Task<(byte[] Bytes, bool Cut)?> ConvertAsync(uint target)
    {
        _display.Connection.Send(new XBatch().Begin(XCore.ConvertSelection)
            .U32(_window).U32(_atoms.Clipboard).U32(target).U32(_atoms.Property).U32(XCore.None).End());
        var answer = await NextAsync(packet => packet.Code == XCore.SelectionNotify && packet.U32(16) == target);
        if (answer.U32(20) == XCore.None)
        {
            return null;
        }

        // The deletion is what tells an owner that sends in pieces to begin.
        var (type, bytes, left) = await TakeAsync();
        return type == _atoms.Incr ? await PiecesAsync() : (bytes.ToArray(), left > 0);
    }

    private async Task<(byte[] Bytes, bool Cut)> PiecesAsync()
    {
        var all = new ArrayBufferWriter<byte>();
        while (all.WrittenCount <= ClipboardLimits.ContentBytes)
        {
            await NextAsync(packet => packet.Code == XCore.PropertyNotify && packet.U32(8) == _atoms.Property && packet.U8(16) == NewValue);
            var (_, piece, left) = await TakeAsync();
            if (piece.IsEmpty)
            {
                return (all.WrittenSpan.ToArray(), false);
            }

            all.Write(piece.Span);
            if (left > 0)
            {
                break;
            }
        }

        return (all.WrittenSpan.ToArray(), true);
    }

    private Task<(uint Type, ReadOnlyMemory<byte> Bytes, uint Left)> TakeAsync() =>
        _display.Connection.PropertyBytesAsync(_window, _atoms.Property, ClipboardLimits.ContentBytes + 4, delete: true);

    private async Task<XPacket> NextAsync(Func<XPacket, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Patience, _time);
        try
        {
            while (true)
            {
                var packet = await _events.Reader.ReadAsync(limit.Token);
                if (wanted(packet))
                {
                    return packet;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw _display.Connection.IsLost
                ? new XDisconnectedException("the X server went away")
                : new TimeoutException("the program that owns the clipboard does not answer");
        }
    }

    private static ClipboardContent Decode(ReadOnlySpan<byte> bytes, bool cut)
    {
        if (bytes.Length > ClipboardLimits.ContentBytes)
        {
            bytes = bytes[..ClipboardLimits.ContentBytes];
            cut = true;
        }

        // A character that the cut went through is left out.
        for (var back = 1; cut && back <= Math.Min(3, bytes.Length); back++)
        {
            if ((bytes[^back] & 0xc0) == 0xc0)
            {
                bytes = Rune.DecodeFromUtf8(bytes[^back..], out _, out _) == OperationStatus.NeedMoreData ? bytes[..^back] : bytes;
                break;
            }
        }

        return new ClipboardContent(Encoding.UTF8.GetString(bytes), ClipboardContent.PlainText, cut);
    }

    /// <summary>The first of an owner's targets that is named like a media type.</summary>
    private async Task<string?> MediaTypeAsync(uint[] targets)
    {
        const byte getAtomName = 17;
        foreach (var atom in targets)
        {
            try
            {
                var reply = await _display.Connection.AskAsync(new XBatch().Begin(getAtomName).U32(atom).End());
                var name = Encoding.Latin1.GetString(reply.Span.Slice(32, Math.Min(reply.U16(8), (ushort)255)));
                if (name.Contains('/', StringComparison.Ordinal))
                {
                    return name;
                }
            }
            catch (XRequestException)
            {
                // The owner names an atom that is none.
            }
        }

        return null;
    }

    private static uint[] Words(ReadOnlySpan<byte> bytes)
    {
        var words = new uint[Math.Min(bytes.Length / 4, MostTargets)];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * 4)..]);
        }

        return words;
    }

    private void OnEvent(XPacket packet)
    {
        var window = packet.Code switch
        {
            XCore.SelectionNotify => packet.U32(8),
            XCore.PropertyNotify => packet.U32(4),
            _ => XCore.None,
        };
        if (window == _window)
        {
            _events.Writer.TryWrite(packet);
        }
    }
}
