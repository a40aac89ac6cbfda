using System.Text.Json;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Http;
using Carrel.Deskd.Identity;

namespace Carrel.Deskd.Readiness;

/// <summary><c>GET /ready</c>: answers when the machine knows who it is and its desktop is painted.</summary>
internal sealed class ReadyEndpoint(DesktopWatch desktop, MachineIdentity identity)
{
    public async Task<Reply> GetAsync(Exchange exchange)
    {
        await identity.Taken.WaitAsync(exchange.Aborted);
        var report = await desktop.Ready.WaitAsync(exchange.Aborted);
        return new Reply(200, "application/json", JsonSerializer.SerializeToUtf8Bytes(report, DeskdJson.Default.ReadyReport));
    }
}
