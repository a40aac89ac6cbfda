using System.Text.Json;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Acting;

/// <summary>How an action ended: refused with a reply, or done with the properties of its answer.</summary>
internal sealed class ActionResult
{
    private ActionResult()
    {
    }

    /// <summary>The answer of an action that did not happen.</summary>
    public Reply? Refusal { get; private init; }

    /// <summary>Writes the answer's properties.</summary>
    public Action<Utf8JsonWriter> Write { get; private init; } = static _ => { };

    public static implicit operator ActionResult(Reply refusal) => new() { Refusal = refusal };

    /// <summary><c>{"success":true,"action":...,"details":{...}}</c> of reference section 5, and what more there is to say.</summary>
    public static ActionResult Done(string action, Action<Utf8JsonWriter>? details = null, Action<Utf8JsonWriter>? more = null) => Of(json =>
    {
        json.WriteBoolean("success"u8, true);
        json.WriteString("action"u8, action);
        if (details is not null)
        {
            json.WriteStartObject("details"u8);
            details(json);
            json.WriteEndObject();
        }

        more?.Invoke(json);
    });

    public static ActionResult Of(Action<Utf8JsonWriter> write) => new() { Write = write };
}
