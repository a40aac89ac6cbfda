using Carrel.Server.Accounts;
using Carrel.Server.Errors;

namespace Carrel.Server.Realtime;

internal static class RealtimeRoutes
{
    private static readonly (string Name, string Summary)[] DeskdSockets =
    [
        ("terminal", "A shell on a terminal, as JSON messages."),
        ("audio", "The speaker's sound: s16le samples in frames of 20 ms."),
        ("events", "What happens on the desktop, as JSON messages."),
    ];

    public static void MapRealtime(this IEndpointRouteBuilder routes)
    {
        Map("/desktops/{id}/ws/websockify", "vncSocket", "RFB.", Vnc);
        Map("/desktops/{id}/websockify", "vncSocketShort", "RFB.", Vnc);
        MapByToken("/websockify", "vncSocketByToken", "RFB.", Vnc);
        foreach (var (name, summary) in DeskdSockets)
        {
            var serve = (HttpContext context, string? id) => context.RequestServices.GetRequiredService<DeskdSocket>().RunAsync(context, id, name);
            Map($"/desktops/{{id}}/ws/{name}", $"{name}Socket", summary, serve);
            Map($"/api/desktops/{{id}}/proxy/{name}", $"proxy_{name}", summary, serve);
            MapByToken($"/{name}", $"desktop_{name}", summary, serve);
        }

        void Map(string pattern, string name, string summary, Func<HttpContext, string?, Task<IResult>> serve) =>
            Describe(routes.MapGet(pattern, (HttpContext context, string id) => serve(context, id)), name, $"{summary} A WebSocket that closes with 4401, 4404, 4500 or 1001.");

        void MapByToken(string pattern, string name, string summary, Func<HttpContext, string?, Task<IResult>> serve) =>
            Describe(routes.MapGet(pattern, (Delegate)((HttpContext context) => serve(context, null))), name, $"{summary} A WebSocket; the token names the computer.");
    }

    private static Task<IResult> Vnc(HttpContext context, string? id) => context.RequestServices.GetRequiredService<VncSocket>().RunAsync(context, id);

    /// <summary>A terminal is a hand on the computer; what viewers may have of VNC is the picture.</summary>
    private static void Describe(RouteHandlerBuilder route, string name, string summary) => route
        .Needs(name.Contains("terminal", StringComparison.Ordinal) ? ActionClass.Use : ActionClass.Read)
        .WithName(name).WithTags("Realtime").WithSummary(summary).WithMetadata(name.StartsWith("vnc", StringComparison.Ordinal) ? Actions.QueryParameters.OfVnc : Actions.QueryParameters.OfSockets)
        .Produces(101).Fails(426);
}
