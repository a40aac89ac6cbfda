using Carrel.Deskd.Acting;
using Carrel.Deskd.Http;
using Carrel.Deskd.Input;
using Carrel.Deskd.Screen;
using Carrel.Deskd.Screens;
using Carrel.Deskd.Shell;
using static Carrel.Deskd.Input.InputFields;

namespace Carrel.Deskd;

/// <summary>The actions of the in-computer API (reference section 6.2).</summary>
internal static class Routes
{
    public static IEnumerable<Route> Of(
        ActAndSee see, ScreenshotEndpoint screenshot, PointerEndpoints pointer, WaitEndpoint wait, ShellEndpoints shell)
    {
        Route Act(string path, string summary, ActionHandler handle, params Field[] body) =>
            new("POST", path, summary, see.Around(handle)) { Body = body, Query = SeeFields.All };

        return
        [
            new Route("GET", "/screenshot", "A picture of the screen.", screenshot.GetAsync)
            {
                Query = [ScreenshotEndpoint.ResponseFormat, .. ShotOptions.Fields, ScreenSet.Field],
            },
            Act("/click", "Clicks.", PointerEndpoints.ClickAsync, X, Y, Button, Twice, Repeat),
            Act("/double_click", "Clicks twice.", PointerEndpoints.DoubleClickAsync, X, Y, Button),
            Act("/mouse_move", "Moves the pointer.", PointerEndpoints.MoveAsync, X, Y),
            Act("/cursor_position", "Where the pointer is.", PointerEndpoints.PositionAsync),
            Act("/drag", "Drags with a button held.", pointer.DragAsync, StartX, StartY, EndX, EndY, Button, DragDuration),
            Act("/type", "Types text.", KeyboardEndpoints.TypeAsync, Text, Delay),
            Act("/key", "Presses a key or a combination.", KeyboardEndpoints.KeyAsync, Key),
            Act("/scroll", "Turns the wheel.", PointerEndpoints.ScrollAsync, Direction, Amount, ScrollX, ScrollY),
            Act("/wait", "Waits.", (exchange, _) => wait.WaitAsync(exchange), Seconds, WaitDuration),
            Act("/bash", "Runs a command.", (exchange, _) => shell.BashAsync(exchange), ShellEndpoints.Command, ShellEndpoints.BashTimeout),
            Act("/exec", "Runs Python code.", (exchange, _) => shell.ExecAsync(exchange), ShellEndpoints.Code, ShellEndpoints.ExecTimeout),
        ];
    }
}
