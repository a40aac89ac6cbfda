using Carrel.Contracts.Events;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>
/// Whether anybody uses mouse and keyboard: two alarms of the SYNC extension on the server's own counter of the time without
/// input, which counts what viewers send and what we inject alike. Nothing runs here between the two.
/// </summary>
/// <param name="after">How long nobody may use them; told in whole seconds.</param>
internal sealed class IdleSource(DisplayLink link, EventHub hub, TimeSpan after) : DisplaySource(link, EventCatalogue.Idle, EventCatalogue.Active)
{
    private const byte Initialize = 0;
    private const byte ListSystemCounters = 1;
    private const byte CreateAlarm = 8;
    private const byte DestroyAlarm = 11;
    private const byte AlarmNotify = 1;
    private const uint PositiveTransition = 0;
    private const uint NegativeTransition = 1;
    private XExtension _sync;
    private uint _idle;
    private uint _active;
    private bool _isIdle;

    protected override async Task AttachAsync(XDisplay display)
    {
        var connection = display.Connection;
        _sync = await display.FindExtensionAsync("SYNC");
        await connection.AskAsync(new XBatch().Begin(_sync.Opcode, Initialize).U8(3).U8(1).U16(0).End());
        var counter = IdleCounter(await connection.AskAsync(new XBatch().Begin(_sync.Opcode, ListSystemCounters).End()));
        (_idle, _active, _isIdle) = (connection.NewId(), connection.NewId(), false);
        display.EventReceived += OnEvent;
        var batch = new XBatch();
        Alarm(batch, _idle, counter, PositiveTransition);
        Alarm(batch, _active, counter, NegativeTransition);
        await connection.AskAsync(XCore.Sync(batch));
    }

    protected override void Detach(XDisplay display)
    {
        display.EventReceived -= OnEvent;
        display.Connection.TrySend(new XBatch()
            .Begin(_sync.Opcode, DestroyAlarm).U32(_idle).End()
            .Begin(_sync.Opcode, DestroyAlarm).U32(_active).End());
    }

    private void OnEvent(XPacket packet)
    {
        if (packet.Code != _sync.FirstEvent + AlarmNotify)
        {
            return;
        }

        if (packet.U32(4) == _idle && !_isIdle)
        {
            _isIdle = true;
            hub.Publish(EventCatalogue.Idle, json => json.WriteNumber("idle_seconds"u8, (int)after.TotalSeconds));
        }
        else if (packet.U32(4) == _active && _isIdle)
        {
            _isIdle = false;
            hub.Publish(EventCatalogue.Active);
        }
    }

    private void Alarm(XBatch batch, uint alarm, uint counter, uint test)
    {
        const uint counterValueTestDeltaEvents = 0x3f;
        const uint absolute = 0;
        batch.Begin(_sync.Opcode, CreateAlarm).U32(alarm).U32(counterValueTestDeltaEvents)
            .U32(counter).U32(absolute).U32(0).U32((uint)after.TotalMilliseconds).U32(test).U32(0).U32(0).U32(1).End();
    }

    private static uint IdleCounter(XPacket reply)
    {
        const int fixedPart = 14;
        var at = 32;
        for (var left = reply.U32(8); left > 0; left--)
        {
            var length = reply.U16(at + 12);
            if (reply.Span.Slice(at + fixedPart, length).SequenceEqual("IDLETIME"u8))
            {
                return reply.U32(at);
            }

            at += (fixedPart + length + 3) & ~3;
        }

        throw new NotSupportedException("the X server does not count the time without input");
    }
}
