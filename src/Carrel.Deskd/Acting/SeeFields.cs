using Carrel.Deskd.Http;
using Carrel.Deskd.Screen;
using Carrel.Deskd.Screens;

namespace Carrel.Deskd.Acting;

/// <summary>What any action's query may ask for.</summary>
internal static class SeeFields
{
    public static readonly FlagField Settle = new("settle", "Answer once the screen has settled.");
    public static readonly TextField Screenshot = new("screenshot", "Settle and add a picture.", false, 16, "", ["after"]);
    public static readonly IntegerField SettleMs = new("settle_ms", "How long nothing may change, milliseconds.", false, 10, 5000, 100);
    public static readonly IntegerField SettleTimeoutMs = new("settle_timeout_ms", "Longest wait, milliseconds.", false, 10, 30_000, 2000);

    public static readonly Field[] All = [Settle, SettleMs, SettleTimeoutMs, Screenshot, .. ShotOptions.Fields, ScreenSet.Field];
}
