using System.Text;
using Carrel.Contracts;
using Carrel.Contracts.Actions;
using Carrel.Contracts.Clipboard;
using Carrel.Deskd.Http;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Clipboard;

/// <summary>
/// Reads and sets the clipboard (the selection CLIPBOARD). PRIMARY is left alone: taking it would take the mark off the text
/// that somebody is about to replace by pasting.
/// </summary>
internal sealed class ClipboardEndpoints(DisplayLink link, TimeProvider time)
{
    private static readonly TextField Content = new("content", $"The text, at most {ClipboardLimits.ContentBytes} bytes.", Required: true, int.MaxValue);
    private readonly SemaphoreSlim _turn = new(1);
    private (XDisplay Display, ClipboardAtoms Atoms)? _atoms;

    public IEnumerable<Route> Routes =>
    [
        new Route("GET", "/clipboard", "What is on the clipboard.", GetAsync),
        new Route("PUT", "/clipboard", "Puts text on the clipboard.", PutAsync) { Body = [Content] },
    ];

    private async Task<Reply> GetAsync(Exchange exchange)
    {
        var (display, atoms) = await DisplayAsync();
        try
        {
            var content = await SelectionReader.ReadAsync(display, atoms, time);
            return Reply.Json(200, content.Write);
        }
        catch (TimeoutException)
        {
            return Reply.Error(504, ErrorCodes.DesktopTimeout, "the program that owns the clipboard does not answer");
        }
    }

    private async Task<Reply> PutAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.LargeBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var text = body.Read(Content);
        if (body.Problem is { } wrong)
        {
            return wrong;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > ClipboardLimits.ContentBytes)
        {
            return Reply.Error(
                413, ErrorCodes.PayloadTooLarge, $"content must be at most {ClipboardLimits.ContentBytes} bytes long, got {bytes.Length}", Content.Name);
        }

        // In turn, so that of two texts put at once the later one stays.
        await _turn.WaitAsync(exchange.Aborted);
        try
        {
            var (display, atoms) = await DisplayAsync();
            return await HeldSelection.TakeAsync(display, atoms, bytes, time)
                ? Reply.Json(200, json => json.WriteBoolean("success"u8, true))
                : Reply.Error(409, ErrorCodes.Busy, "another program took the clipboard at the same moment; try again");
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<(XDisplay Display, ClipboardAtoms Atoms)> DisplayAsync()
    {
        var display = link.Current ?? throw new XDisconnectedException("there is no X server");
        if (_atoms is not { } known || known.Display != display)
        {
            _atoms = known = (display, await ClipboardAtoms.InternAsync(display.Connection));
        }

        return known;
    }
}
