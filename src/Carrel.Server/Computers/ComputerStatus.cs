namespace Carrel.Server.Computers;

/// <summary>Statuses of reference section 25.9. The wire name is the lower-case name.</summary>
internal enum ComputerStatus
{
    Creating,
    Starting,
    Running,
    Stopping,
    Stopped,
    Restarting,
    Suspended,
    Deleting,
    Error,
}

/// <summary>What can be asked of a computer as a whole.</summary>
internal enum ComputerCommand
{
    Start,
    Stop,
    Restart,
    EnsureRunning,
    Delete,

    /// <summary>Put a snapshot in the place of its disk; it runs afterwards where it did before.</summary>
    Restore,
    Suspend,
    Resume,
}

internal static class ComputerStatusExtensions
{
    /// <summary>Whether work in the mailbox is to change it.</summary>
    public static bool IsTransitional(this ComputerStatus status) =>
        status is ComputerStatus.Creating or ComputerStatus.Starting or ComputerStatus.Stopping or ComputerStatus.Restarting or ComputerStatus.Deleting;

    private static readonly string[] Names = [.. Enum.GetNames<ComputerStatus>().Select(name => name.ToLowerInvariant())];

    public static string Wire(this ComputerStatus status) => Names[(int)status];

    public static ComputerStatus Parse(string wire) => (ComputerStatus)Array.IndexOf(Names, wire) is var status && Enum.IsDefined(status)
        ? status
        : throw new InvalidDataException($"the database holds the unknown computer status {wire}");
}
