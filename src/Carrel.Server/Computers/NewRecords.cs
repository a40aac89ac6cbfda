using Carrel.Server.State;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Computers;

/// <summary>Begins the record of a computer that is yet to be made, with ids that nobody has.</summary>
internal sealed class NewRecords(ComputerRegistry registry, Lifecycle lifecycle, IIdFactory ids, TimeProvider clock)
{
    public ComputerRecord Make(Workspace workspace, string name, string image, Hardware hardware, int? autoStopMinutes, bool autoStart = false)
    {
        string instance;
        do
        {
            instance = ids.NewInstanceId();
        }
        while (registry.Find(instance) is not null);

        return new ComputerRecord
        {
            Id = ids.NewId().ToString(),
            InstanceId = instance,
            AccountId = workspace.AccountId,
            WorkspaceId = workspace.Id,
            WorkspaceName = workspace.Name,
            Name = name,
            Image = image,
            Hardware = hardware,
            AutoStopMinutes = autoStopMinutes,
            AutoStart = autoStart,
            Status = ComputerStatus.Creating,
            Secrets = lifecycle.NewSecrets(),

            // Whole milliseconds, as the database keeps them, so that every answer shows the same moment.
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds()),
        };
    }
}
