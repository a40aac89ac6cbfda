using System.Text;
using Carrel.Contracts;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Acting;
using Carrel.Deskd.Http;
using Carrel.Deskd.Screens;
using static Carrel.Deskd.Input.InputFields;

namespace Carrel.Deskd.Input;

/// <summary>What hands do with a keyboard.</summary>
internal static class KeyboardEndpoints
{
    public static async Task<ActionResult> TypeAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.LargeBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var text = body.Read(Text);
        var pace = TimeSpan.FromMilliseconds(body.Read(Delay));
        var keysyms = Keysyms(text, body);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        await screen.Desk.UseAsync((_, keyboard) => keyboard.TypeAsync(keysyms, pace, exchange.Aborted), exchange.Aborted);
        return ActionResult.Done("type", json => json.WriteNumber("text_length"u8, keysyms.Count));
    }

    public static async Task<ActionResult> KeyAsync(Exchange exchange, DesktopScreen screen)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var key = body.Read(Key);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        var combination = KeyCombination.Parse(key);
        if (!combination.Succeeded)
        {
            return Reply.Error(400, combination.Failure.Code, $"{combination.Failure.Message}. {combination.Failure.Remedy}", Key.Name);
        }

        await screen.Desk.UseAsync((_, keyboard) => keyboard.PressAsync(combination.Value), exchange.Aborted);
        return ActionResult.Done("key_press", json => json.WriteString("key"u8, key));
    }

    /// <summary>What to press for a text. A carriage return and line feed together are one line end.</summary>
    internal static List<uint> Keysyms(string text, FieldReader reader)
    {
        var keysyms = new List<uint>(text.Length);
        var previous = default(Rune);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Keysym.ForRune(rune) is not { } keysym)
            {
                return reader.Refuse(Text, $"holds the control character U+{rune.Value:X4}, which no key types", keysyms);
            }

            if (rune.Value != '\n' || previous.Value != '\r')
            {
                keysyms.Add(keysym);
            }

            previous = rune;
        }

        return keysyms;
    }
}
