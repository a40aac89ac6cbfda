using System.Text.Json;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Acting;
using Carrel.Deskd.Http;
using Carrel.Deskd.Screens;
using Carrel.Deskd.X11;
using static Carrel.Deskd.Input.InputFields;

namespace Carrel.Deskd.Input;

/// <summary>What a hand does with a mouse.</summary>
internal sealed class PointerEndpoints(TimeProvider time)
{
    private const int StepsPerSecond = 60;

    public static async Task<ActionResult> ClickAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var (x, y) = ReadPoint(screen, body, X, Y);
        var button = body.Read(Button);
        var twice = body.Read(Twice);
        var repeat = body.Read(Repeat);
        return body.Problem is not null ? body.Problem : await ClickAsync(screen, x, y, button, twice, twice ? 2 : repeat, exchange.Aborted);
    }

    public static async Task<ActionResult> DoubleClickAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var (x, y) = ReadPoint(screen, body, X, Y);
        var button = body.Read(Button);
        return body.Problem is not null ? body.Problem : await ClickAsync(screen, x, y, button, true, 2, exchange.Aborted);
    }

    public static async Task<ActionResult> MoveAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var (x, y) = ReadPoint(screen, body, X, Y);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        await screen.Desk.UseAsync(
            (device, _) =>
            {
                var batch = new XBatch();
                device.Move(batch, x, y);
                return device.SendAsync(batch);
            },
            exchange.Aborted);
        return ActionResult.Done("mouse_move", json => WritePoint(json, x, y));
    }

    public static async Task<ActionResult> PositionAsync(Exchange exchange, DesktopScreen screen)
    {
        var display = screen.Display;
        var pointer = await display.Connection.AskAsync(new XBatch().Begin(XCore.QueryPointer).U32(display.Root).End());
        var (x, y) = (pointer.I16(16), pointer.I16(18));
        return ActionResult.Done("cursor_position", json => WritePoint(json, x, y), json => WritePoint(json, x, y));
    }

    public async Task<ActionResult> DragAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var (startX, startY) = ReadPoint(screen, body, StartX, StartY);
        var (endX, endY) = ReadPoint(screen, body, EndX, EndY);
        var button = ButtonNumber(body.Read(Button));
        var duration = TimeSpan.FromSeconds(body.Read(DragDuration));
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        var path = new DragPath(startX, startY, endX, endY, Math.Max(2, (int)(duration.TotalSeconds * StepsPerSecond)));
        await screen.Desk.UseAsync((device, _) => DragAsync(device, button, path, duration, exchange.Aborted), exchange.Aborted);
        return ActionResult.Done("drag", json =>
        {
            json.WriteNumber("start_x"u8, startX);
            json.WriteNumber("start_y"u8, startY);
            json.WriteNumber("end_x"u8, endX);
            json.WriteNumber("end_y"u8, endY);
        });
    }

    public static async Task<ActionResult> ScrollAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var direction = body.Read(Direction);
        var amount = body.Read(Amount);
        var moves = body.Has(ScrollX) || body.Has(ScrollY);
        var (x, y) = moves ? ReadPoint(screen, body, X, Y) : (0, 0);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        byte button = direction switch { "up" => 4, "down" => 5, "left" => 6, _ => 7 };
        await screen.Desk.UseAsync(
            (device, _) =>
            {
                var batch = new XBatch();
                if (moves)
                {
                    device.Move(batch, x, y);
                }

                for (var i = 0; i < amount; i++)
                {
                    device.Click(batch, button);
                }

                return device.SendAsync(batch);
            },
            exchange.Aborted);
        return ActionResult.Done("scroll", json =>
        {
            json.WriteString("direction"u8, direction);
            json.WriteNumber("amount"u8, amount);
        });
    }

    private static async Task<ActionResult> ClickAsync(DesktopScreen screen, int x, int y, string button, bool twice, int count, CancellationToken aborted)
    {
        await screen.Desk.UseAsync(
            (device, _) =>
            {
                var batch = new XBatch();
                device.Move(batch, x, y);
                for (var i = 0; i < count; i++)
                {
                    device.Click(batch, ButtonNumber(button));
                }

                return device.SendAsync(batch);
            },
            aborted);
        return ActionResult.Done(twice ? "double_click" : "click", json =>
        {
            WritePoint(json, x, y);
            json.WriteString("button"u8, button);
            json.WriteBoolean("double"u8, twice);
        });
    }

    /// <summary>Moves with the button held, about sixty times a second, so that programs see a drag and not a jump.</summary>
    private async Task DragAsync(InputDevice device, byte button, DragPath path, TimeSpan duration, CancellationToken aborted)
    {
        var batch = new XBatch();
        device.Move(batch, path.StartX, path.StartY);
        device.Button(batch, button, down: true);
        await device.SendAsync(batch);
        var started = time.GetTimestamp();
        try
        {
            for (var step = 1; step <= path.Steps; step++)
            {
                var left = (duration * step / path.Steps) - time.GetElapsedTime(started);
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(left, time, aborted);
                }

                var (x, y) = path.At(step);
                batch = new XBatch();
                device.Move(batch, x, y);
                await device.SendAsync(batch);
            }
        }
        finally
        {
            // Also when the client has gone: a button that stays down would spoil everything after.
            batch = new XBatch();
            device.Button(batch, button, down: false);
            await device.SendAsync(batch);
        }
    }

    private static (int X, int Y) ReadPoint(DesktopScreen screen, Body body, IntegerField x, IntegerField y)
    {
        var (width, height) = screen.Display.Size;
        return (body.Read(x, width - 1), body.Read(y, height - 1));
    }

    private static void WritePoint(Utf8JsonWriter json, int x, int y)
    {
        json.WriteNumber("x"u8, x);
        json.WriteNumber("y"u8, y);
    }

    private static byte ButtonNumber(string button) => button switch { "left" => 1, "middle" => 2, _ => 3 };
}
