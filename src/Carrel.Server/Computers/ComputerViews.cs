using Carrel.Contracts.Api;
using Carrel.Machines;
using Carrel.Server.Accounts;
using Carrel.Server.Hosting;

namespace Carrel.Server.Computers;

/// <summary>Computers as the API shows them (reference sections 4.1 and 25.3).</summary>
internal sealed class ComputerViews(IMachineHost host, PublicAddress address, Access access)
{
    public ComputerAnswer Of(Computer computer, HttpContext context)
    {
        var state = computer.State;
        var record = state.Record;
        var at = address.Of(context.Request);
        var url = address.BaseOf(context.Request);
        var connection = $"{url}/desktops/{record.InstanceId}";
        var caller = context.Caller();
        var writes = access.Allows(caller, ActionClass.Use, record.AccountId, record.WorkspaceId);

        // The secrets open everything, so who may only look is not told them.
        var open = state.Usable is not null && writes;
        return new ComputerAnswer(
            record.Id,
            record.Name,
            record.WorkspaceId,
            record.WorkspaceId,
            record.WorkspaceName,
            "linux",
            record.Hardware.RamGb,
            record.Hardware.Cpu,
            record.Hardware.DiskGb,
            record.Hardware.Screen.ToString(),
            record.Status.Wire(),
            record.StatusReason,
            record.AutoStopMinutes,
            record.AutoStart,
            record.Starred,
            $"{url}/workspaces/{record.WorkspaceId}/computers/{record.Id}",
            record.CreatedAt,
            record.InstanceId,
            record.InstanceId,
            at.Authority,
            connection,
            open ? record.Secrets.VncPassword : null,
            open
                ? new InstanceDetails(
                    at.Host, at.Host, at.Port, record.Secrets.VncPassword, connection, SocketUrl(at, url, record), record.Secrets.Token)
                : null,
            new Permissions(writes, access.Allows(caller, ActionClass.Manage, record.AccountId, record.WorkspaceId)),
            host.Capabilities.Isolation,
            host.Capabilities.MemorySnapshots,
            host.Capabilities.PauseKeepsMemory);
    }

    private static string SocketUrl(Uri at, string url, ComputerRecord record) =>
        $"{(at.Scheme == Uri.UriSchemeHttps ? "wss" : "ws")}{url[at.Scheme.Length..]}/desktops/{record.InstanceId}/ws/websockify";
}
