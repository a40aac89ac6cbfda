using System.Threading.Channels;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Clipboard;

/// <summary>One large text on its way to another program, a piece at a time: the next is sent when the last was taken (ICCCM section 2.7.2).</summary>
internal sealed class IncrementalTransfer : IDisposable
{
    /// <summary>How long the other program may take over a piece.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const byte Deleted = 1;
    private readonly XDisplay _display;
    private readonly uint _window;
    private readonly uint _property;
    private readonly TimeProvider _time;
    private readonly Channel<bool> _taken = Channel.CreateBounded<bool>(1);

    public IncrementalTransfer(XDisplay display, uint window, uint property, TimeProvider time)
    {
        (_display, _window, _property, _time) = (display, window, property, time);
        display.EventReceived += OnEvent;
        Listen(XCore.PropertyChangeMask);
    }

    /// <summary>Tells the reader that the text comes in pieces.</summary>
    public void Announce(uint incr, int length) =>
        _display.Connection.Send(new XBatch().Begin(XCore.ChangeProperty, 0).U32(_window).U32(_property).U32(incr)
            .U8(32).Zeros(3).U32(1).U32((uint)length).End());

    /// <summary>Waits until the reader has taken what was written; false when it does not.</summary>
    public async Task<bool> IsTakenAsync()
    {
        using var limit = new CancellationTokenSource(Patience, _time);
        try
        {
            return await _taken.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _display.EventReceived -= OnEvent;
        _display.Connection.TrySend(Mask(XCore.None));
    }

    private void Listen(uint mask) => _display.Connection.Send(Mask(mask));

    private XBatch Mask(uint mask) => new XBatch().Begin(XCore.ChangeWindowAttributes).U32(_window).U32(XCore.EventMaskAttribute).U32(mask).End();

    private void OnEvent(XPacket packet)
    {
        if (packet.Code == XCore.PropertyNotify && packet.U32(4) == _window && packet.U32(8) == _property && packet.U8(16) == Deleted)
        {
            _taken.Writer.TryWrite(true);
        }
    }
}
