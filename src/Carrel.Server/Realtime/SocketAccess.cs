using System.Net.WebSockets;
using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;

namespace Carrel.Server.Realtime;

/// <summary>Who may open a socket to a computer: its secrets, or a key or browser session that may use it (reference section 25.14).</summary>
internal sealed class SocketAccess(ComputerRegistry registry, KeyRing keys, Authentication authentication, Access access)
{
    /// <returns>The computer, whether it runs or not.</returns>
    /// <param name="id">Null where the secret itself names the computer.</param>
    public (Computer? Computer, bool ViewOnly, WebSocketCloseStatus Refusal, string Reason) Find(HttpContext context, string? id)
    {
        var secret = Authentication.BearerOf(context.Request) ?? (context.Request.Query["token"].ToString() is { Length: > 0 } token ? token : null);
        var computer = id is not null ? registry.Find(id) : secret is not null ? registry.FindBySecret(secret) : null;
        if (computer is not null && secret is not null && ComputerRegistry.Opens(computer, secret))
        {
            return (computer, false, default, "");
        }

        // Whether a computer exists is told to those only who could use it.
        var caller = secret is not null ? keys.Find(secret) : authentication.Find(context) is { Succeeded: true } session ? session.Value : null;
        if (caller is null)
        {
            return (null, false, CloseCodes.BadToken, "missing or invalid token");
        }

        var record = computer?.State.Record;
        if (record is null)
        {
            return (null, false, CloseCodes.NoComputer, "no such computer");
        }

        if (access.Refusal(caller, Needs.Of(context), record.AccountId, record.WorkspaceId, "") is { } refusal)
        {
            return refusal.Failure.Code switch
            {
                ErrorCodes.NotFound => (null, false, CloseCodes.NoComputer, "no such computer"),
                ErrorCodes.WorkspaceScopeMismatch => (null, false, CloseCodes.BadToken, "this key is limited to another workspace"),
                _ => (null, false, CloseCodes.BadToken, "your role in this workspace does not allow it"),
            };
        }

        return (computer, !access.Allows(caller, ActionClass.Use, record.AccountId, record.WorkspaceId), default, "");
    }
}
