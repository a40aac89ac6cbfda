using System.Net.WebSockets;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;

namespace Carrel.Server.Realtime;

/// <summary>Who may open a socket to a computer: its secrets, or a key or browser session that may use it (reference section 25.14).</summary>
internal sealed class SocketAccess(ComputerRegistry registry, KeyRing keys, Authentication authentication)
{
    /// <returns>The computer, whether it runs or not.</returns>
    /// <param name="id">Null where the secret itself names the computer.</param>
    public (Computer? Computer, WebSocketCloseStatus Refusal, string Reason) Find(HttpContext context, string? id)
    {
        var secret = Authentication.BearerOf(context.Request) ?? (context.Request.Query["token"].ToString() is { Length: > 0 } token ? token : null);
        var computer = id is not null ? registry.Find(id) : secret is not null ? registry.FindBySecret(secret) : null;
        if (computer is not null && secret is not null && ComputerRegistry.Opens(computer, secret))
        {
            return (computer, default, "");
        }

        // Whether a computer exists is told to those only who could use it.
        var caller = secret is not null ? keys.Find(secret) : authentication.Find(context) is { Succeeded: true } session ? session.Value : null;
        if (caller is null)
        {
            return (null, CloseCodes.BadToken, "missing or invalid token");
        }

        var record = computer?.State.Record;
        if (record is null || caller.AccountId != record.AccountId)
        {
            return (null, CloseCodes.NoComputer, "no such computer");
        }

        if (caller.WorkspaceId is not null && caller.WorkspaceId != record.WorkspaceId)
        {
            return (null, CloseCodes.BadToken, "this key is limited to another workspace");
        }

        return (computer, default, "");
    }
}
