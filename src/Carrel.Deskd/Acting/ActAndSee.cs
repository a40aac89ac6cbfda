using System.Buffers.Binary;
using System.Text.Json;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Http;
using Carrel.Deskd.Screen;
using Carrel.Deskd.Screens;
using Carrel.Deskd.Settling;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Acting;

internal delegate Task<ActionResult> ActionHandler(Exchange exchange, DesktopScreen screen);

/// <summary>
/// Runs an action and, where the query asks for it, waits until the screen has settled and adds a picture.
/// <list type="number">
/// <item>Read the query; refuse what is wrong before anything happens.</item>
/// <item>Watch for damage, so that none of the action's is missed.</item>
/// <item>Act.</item>
/// <item>Wait for quiet.</item>
/// <item>Take the picture and put it into or behind the answer.</item>
/// </list>
/// </summary>
internal sealed class ActAndSee(ScreenSet screens, TimeProvider time)
{
    public Handler Around(ActionHandler action) => exchange => RunAsync(exchange, action);

    private async Task<Reply> RunAsync(Exchange exchange, ActionHandler action)
    {
        // 1
        var query = exchange.Query;
        var sees = query.Read(SeeFields.Screenshot) == "after";
        var settles = query.Read(SeeFields.Settle) || sees;
        var limits = new SettleLimits(
            TimeSpan.FromMilliseconds(query.Read(SeeFields.SettleMs)), TimeSpan.FromMilliseconds(query.Read(SeeFields.SettleTimeoutMs)));
        var shot = ShotOptions.Read(query);
        var (screen, problem) = screens.Of(query);
        if (screen is null || problem is not null)
        {
            return problem!;
        }

        if (!settles)
        {
            var result = await action(exchange, screen);
            return result.Refusal ?? Reply.Json(200, result.Write);
        }

        // 2
        var display = screen.Display;
        using var watch = new DamageWatch(display, limits, time);

        // 3
        var done = await action(exchange, screen);
        if (done.Refusal is not null)
        {
            return done.Refusal;
        }

        // From here on the action has happened: whatever goes wrong with looking is told inside a success, because a
        // client would repeat what it takes for a failure.
        try
        {
            // 4
            var settled = await watch.WaitAsync(exchange.Aborted);

            // 5
            var picture = sees ? await screen.Camera.ShootAsync(display, shot, exchange.Aborted) : null;
            return Answer(exchange, done, settled, picture);
        }
        catch (XDisconnectedException e)
        {
            return Reply.Json(200, json =>
            {
                done.Write(json);
                json.WriteString("screenshot_error"u8, $"the action was done, but then {e.Message}");
            });
        }
    }

    private static Reply Answer(Exchange exchange, ActionResult done, SettleReport settled, EncodedPicture? picture)
    {
        var apart = picture is not null && exchange.Accept.Contains(DeskdProtocol.ActAndSeeMediaType, StringComparison.OrdinalIgnoreCase);
        var json = Reply.JsonBytes(json =>
        {
            done.Write(json);
            json.WriteStartObject("settle"u8);
            json.WriteBoolean("settled"u8, settled.Settled);
            json.WriteNumber("waited_ms"u8, Math.Round(settled.Waited.TotalMilliseconds, 1));
            json.WriteEndObject();
            if (picture is not null)
            {
                WritePicture(json, picture, inline: !apart);
            }
        });
        if (apart)
        {
            return new Reply(200, DeskdProtocol.ActAndSeeMediaType, Frame(json.Span), picture);
        }

        picture?.Dispose();
        return new Reply(200, "application/json", json);
    }

    private static void WritePicture(Utf8JsonWriter json, EncodedPicture picture, bool inline)
    {
        json.WriteStartObject("screenshot"u8);
        if (inline)
        {
            json.WriteBase64String("image"u8, picture.Bytes);
        }

        json.WriteString("format"u8, picture.Name);
        json.WriteString("mime_type"u8, picture.MimeType);
        json.WriteNumber("width"u8, picture.Width);
        json.WriteNumber("height"u8, picture.Height);
        json.WriteNumber("size"u8, picture.Size);
        json.WriteEndObject();
    }

    /// <summary>The head of the framing of <see cref="DeskdProtocol.ActAndSeeMediaType"/>; the picture follows it.</summary>
    internal static byte[] Frame(ReadOnlySpan<byte> json)
    {
        var framed = new byte[4 + json.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, json.Length);
        json.CopyTo(framed.AsSpan(4));
        return framed;
    }
}
