using Carrel.Deskd.Acting;
using Carrel.Deskd.Http;
using Carrel.Deskd.Input;
using Carrel.Deskd.Screen;
using Carrel.Deskd.Shell;
using static Carrel.Deskd.Input.InputFields;

namespace Carrel.Deskd;

/// <summary>The actions of the in-computer API (reference section 6.2).</summary>
internal static class Routes
{
    public static IEnumerable<Route> Of(
        ActAndSee see, ScreenshotEndpoint screenshot, PointerEndpoints pointer, KeyboardEndpoints keyboard,
        WaitEndpoint wait, ShellEndpoints shell)
    {
        Route Act(string path, string summary, ActionHandler handle, params Field[] body) =>
            new("POST", path, summary, see.Around(handle)) { Body = body, Query = SeeFields.All };

        return
        [
            new Route("GET", "/screenshot", "A picture of the screen.", screenshot.GetAsync)
            {
                Query = [ScreenshotEndpoint.ResponseFormat, .. ShotOptions.Fields],
            },
            Act("/click", "Clicks.", pointer.ClickAsync, X, Y, Button, Twice, Repeat),
            Act("/double_click", "Clicks twice.", pointer.DoubleClickAsync, X, Y, Button),
            Act("/mouse_move", "Moves the pointer.", pointer.MoveAsync, X, Y),
            Act("/cursor_position", "Where the pointer is.", pointer.PositionAsync),
            Act("/drag", "Drags with a button held.", pointer.DragAsync, StartX, StartY, EndX, EndY, Button, DragDuration),
            Act("/type", "Types text.", keyboard.TypeAsync, Text, Delay),
            Act("/key", "Presses a key or a combination.", keyboard.KeyAsync, Key),
            Act("/scroll", "Turns the wheel.", pointer.ScrollAsync, Direction, Amount, ScrollX, ScrollY),
            Act("/wait", "Waits.", wait.WaitAsync, Seconds, WaitDuration),
            Act("/bash", "Runs a command.", shell.BashAsync, ShellEndpoints.Command, ShellEndpoints.BashTimeout),
            Act("/exec", "Runs Python code.", shell.ExecAsync, ShellEndpoints.Code, ShellEndpoints.ExecTimeout),
        ];
    }
}
