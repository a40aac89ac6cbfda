using System.Text.Json;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;

namespace Carrel.Server.Actions;

/// <summary>An action of reference section 5, and how long it may take.</summary>
/// <param name="Name">Its path segment in the API.</param>
/// <param name="Path">Its path at deskd.</param>
/// <param name="ReadOnly">Asking twice does no harm, so a lost answer may be a 5xx.</param>
/// <param name="Timeout">Seconds its own work may take, before the margin.</param>
/// <param name="TimeoutField">The body's <c>timeout</c> replaces <paramref name="Timeout"/>.</param>
internal sealed record DeskAction(
    string Name, string Path, Type? Request, Type Answer, string Summary, bool ReadOnly = false, int Timeout = 15, bool TimeoutField = false)
{
    /// <summary>Seconds above the action's own time: the desktop gives up first and says so better than we could.</summary>
    public const int Margin = 15;

    private const int MostSeconds = 300;
    private const int MostSettleSeconds = 30;

    public static IReadOnlyList<DeskAction> All { get; } =
    [
        new("click", "/click", typeof(ClickRequest), typeof(ActionAnswer), "Clicks, once to three times."),
        new("double-click", "/double_click", typeof(PointRequest), typeof(ActionAnswer), "Double-clicks."),
        new("mouse-move", "/mouse_move", typeof(PointRequest), typeof(ActionAnswer), "Moves the pointer."),
        new("cursor-position", "/cursor_position", null, typeof(ActionAnswer), "Where the pointer is.", ReadOnly: true),
        new("drag", "/drag", typeof(DragRequest), typeof(ActionAnswer), "Drags from one point to another.", Timeout: 60),
        new("type", "/type", typeof(TypeRequest), typeof(ActionAnswer), "Types a text.", Timeout: MostSeconds),
        new("key", "/key", typeof(KeyRequest), typeof(ActionAnswer), "Presses a key or a combination."),
        new("scroll", "/scroll", typeof(ScrollRequest), typeof(ActionAnswer), "Scrolls."),
        new("wait", "/wait", typeof(WaitRequest), typeof(ActionAnswer), "Waits.", ReadOnly: true, Timeout: 60),
        new("bash", "/bash", typeof(BashRequest), typeof(BashAnswer), "Runs a shell command.", Timeout: 200, TimeoutField: true),
        new("exec", "/exec", typeof(ExecRequest), typeof(ExecAnswer), "Runs Python code.", Timeout: 10, TimeoutField: true),
    ];

    /// <summary>What changes nothing, whoever may look may do.</summary>
    public ActionClass Class => ReadOnly ? ActionClass.Read : ActionClass.Use;

    /// <summary>The names in the API of actions whose older or deskd's own name differs.</summary>
    public IEnumerable<string> Names => Name.Contains('-', StringComparison.Ordinal) ? [Name, Name.Replace('-', '_')] : [Name];

    /// <param name="settles">The action also waits for the screen to come to rest.</param>
    public TimeSpan Allowance(ReadOnlySpan<byte> body, bool settles) =>
        TimeSpan.FromSeconds((TimeoutField ? Math.Clamp(ReadTimeout(body) ?? Timeout, 1, MostSeconds) : Timeout) + (settles ? MostSettleSeconds : 0) + Margin);

    private static double? ReadTimeout(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("timeout"u8))
                {
                    return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds) ? seconds : null;
                }
            }
        }
        catch (JsonException)
        {
            // deskd reads the body too, and answers what is wrong with it.
        }

        return null;
    }
}
