using Carrel.Contracts.Actions;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Input;

/// <summary>The fields of input actions (reference section 5).</summary>
internal static class InputFields
{
    public static readonly IntegerField X = new("x", "Pixels from the left edge.", true, 0, int.MaxValue);
    public static readonly IntegerField Y = new("y", "Pixels from the top edge.", true, 0, int.MaxValue);
    public static readonly IntegerField StartX = new("start_x", "Where the drag starts.", true, 0, int.MaxValue);
    public static readonly IntegerField StartY = new("start_y", "Where the drag starts.", true, 0, int.MaxValue);
    public static readonly IntegerField EndX = new("end_x", "Where the drag ends.", true, 0, int.MaxValue);
    public static readonly IntegerField EndY = new("end_y", "Where the drag ends.", true, 0, int.MaxValue);
    public static readonly IntegerField ScrollX = X with { Required = false, Summary = "Where to scroll; the pointer moves there." };
    public static readonly IntegerField ScrollY = Y with { Required = false, Summary = "Where to scroll; the pointer moves there." };
    public static readonly TextField Button = new("button", "Mouse button.", false, 16, "left", ["left", "right", "middle"]);
    public static readonly FlagField Twice = new("double", "Click twice.");
    public static readonly IntegerField Repeat = new("repeat", "How many clicks.", false, 1, 3, 1);
    public static readonly NumberField DragDuration = new("duration", "Seconds the drag takes.", false, 0, 30, 0.5);
    public static readonly TextField Text = new("text", "What to type; any Unicode.", true, ActionLimits.TypeTextBytes);
    public static readonly IntegerField Delay = new("delay_ms", "Milliseconds from one keystroke to the next.", false, 0, 10_000, 12);
    public static readonly TextField Key = new("key", "A key or a combination: Enter, ctrl+c, alt+F4, XF86AudioMute.", true, 256);
    public static readonly TextField Direction = new("direction", "Where to scroll.", false, 16, "down", ["up", "down", "left", "right"]);
    public static readonly IntegerField Amount = new("amount", "Notches of the wheel.", false, 1, 100, 3);
    public static readonly NumberField Seconds = new("seconds", "How long; this or duration is required.", false, 0, 60);
    public static readonly NumberField WaitDuration = new("duration", "The same as seconds.", false, 0, 60);
}
