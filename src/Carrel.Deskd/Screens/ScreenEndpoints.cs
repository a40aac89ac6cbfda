using System.Net.Sockets;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Http;
using Carrel.Deskd.Identity;
using Carrel.Deskd.Ports;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screens;

/// <summary><c>/screens</c> (reference section 19).</summary>
internal sealed class ScreenEndpoints(ScreenSet screens, IdentityEndpoint identity)
{
    private static readonly IntegerField Width = IdentityEndpoint.Fields.Width with { Required = false };
    private static readonly IntegerField Height = IdentityEndpoint.Fields.Height with { Required = false };

    public IEnumerable<Route> Routes =>
    [
        new Route("GET", "/screens", "The screens there are.", ListAsync),
        new Route("POST", "/screens", "Adds a screen; without both width and height as large as the first.", AddAsync) { Body = [Width, Height] },
        new Route("DELETE", "/screens/{screen}", "Ends a screen that was added, with all that runs on it.", DeleteAsync),
        new Route("GET", "/screens/{screen}/vnc", "RFB of a screen that was added, as a stream.", VncAsync, Access.Host),
    ];

    private Task<Reply> ListAsync(Exchange exchange)
    {
        // One that is just going away is left out.
        var all = screens.All.Where(screen => screen.IsDefault || screen.Link.Current is not null).ToList();
        return Task.FromResult(Reply.Json(200, json =>
        {
            json.WriteStartArray("screens"u8);
            foreach (var screen in all)
            {
                json.WriteStartObject();
                Write(json, screen);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }));
    }

    private async Task<Reply> AddAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var both = body.Has(Width) && body.Has(Height);
        var (width, height) = (body.Read(Width), body.Read(Height));
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        if (!both)
        {
            (width, height) = identity.BootSize ?? screens.Default.Display.Size;
        }

        var added = await screens.AddAsync(width, height, exchange.Aborted);
        if (added.Succeeded)
        {
            return Reply.Json(201, json => Write(json, added.Value));
        }

        var failure = added.Failure;
        return Reply.Error(failure.Code == ErrorCodes.ScreenLimit ? 409 : 503, failure.Code, failure.Remedy is { } remedy ? $"{failure.Message}. {remedy}" : failure.Message);
    }

    private async Task<Reply> DeleteAsync(Exchange exchange)
    {
        var (screen, problem) = screens.Find(exchange.PathValues["screen"]);
        if (screen is null)
        {
            return problem!;
        }

        if (screen.IsDefault)
        {
            return Reply.Error(400, ErrorCodes.InvalidField, "the screen default is the computer's own and cannot be deleted", ScreenSet.Field.Name);
        }

        await screens.RemoveAsync(screen);
        return Reply.Json(200, json => json.WriteBoolean("success"u8, true));
    }

    private async Task<Reply> VncAsync(Exchange exchange)
    {
        var (screen, problem) = screens.Find(exchange.PathValues["screen"]);
        return screen?.VncSocket is { } socket
            ? await TunnelEndpoint.ServeAsync(exchange, new UnixDomainSocketEndPoint(socket), $"{screen.Id} does not answer")
            : problem ?? Reply.Error(400, ErrorCodes.InvalidField, "the screen default has a socket of the host's", ScreenSet.Field.Name);
    }

    private static void Write(Utf8JsonWriter json, DesktopScreen screen)
    {
        json.WriteString("id"u8, screen.Id);
        json.WriteString("display"u8, $":{screen.Link.Number}");
        if (screen.Link.Current?.Size is { } size)
        {
            json.WriteNumber("width"u8, size.Width);
            json.WriteNumber("height"u8, size.Height);
        }

        json.WriteBoolean("default"u8, screen.IsDefault);
    }
}
