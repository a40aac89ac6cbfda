using Carrel.Contracts.Events;
using Carrel.Deskd.Clipboard;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>What is copied: XFixes tells that the clipboard has another owner or the same one anew, and we ask it for the text.</summary>
internal sealed class ClipboardSource(DisplayLink link, EventHub hub, TimeProvider time) : DisplaySource(link, EventCatalogue.Clipboard)
{
    private const byte SelectSelectionInput = 2;
    private const uint SetSelectionOwnerMask = 1;
    private ClipboardAtoms? _atoms;
    private OneAtATime? _look;
    private byte _event;

    protected override async Task AttachAsync(XDisplay display)
    {
        var atoms = await ClipboardAtoms.InternAsync(display.Connection);
        (_atoms, _event) = (atoms, display.Fixes.FirstEvent);
        _look = new OneAtATime(async () =>
        {
            try
            {
                var content = await SelectionReader.ReadAsync(display, atoms, time);
                if (content.Type is not null)
                {
                    hub.Publish(EventCatalogue.Clipboard, content.Write);
                }
            }
            catch (TimeoutException)
            {
                // Copied by a program that hangs; there is nothing to tell until it or another copies again.
            }
        });
        display.EventReceived += OnEvent;
        await display.Connection.AskAsync(XCore.Sync(Select(display, atoms, SetSelectionOwnerMask)));
    }

    protected override void Detach(XDisplay display)
    {
        display.EventReceived -= OnEvent;
        if (_atoms is { } atoms)
        {
            display.Connection.TrySend(Select(display, atoms, XCore.None));
        }
    }

    private void OnEvent(XPacket packet)
    {
        if (packet.Code == _event && packet.U32(12) == _atoms?.Clipboard && packet.U32(8) != XCore.None)
        {
            _look?.Ask();
        }
    }

    private static XBatch Select(XDisplay display, ClipboardAtoms atoms, uint mask) =>
        new XBatch().Begin(display.Fixes.Opcode, SelectSelectionInput).U32(display.Root).U32(atoms.Clipboard).U32(mask).End();
}
