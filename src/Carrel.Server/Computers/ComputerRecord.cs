namespace Carrel.Server.Computers;

/// <summary>The durable side of a computer, as of one moment. A change makes a new one.</summary>
internal sealed record ComputerRecord
{
    /// <summary>A year.</summary>
    public const int MostAutoStopMinutes = 525_600;

    public required string Id { get; init; }

    public required string InstanceId { get; init; }

    public required string AccountId { get; init; }

    public required string WorkspaceId { get; init; }

    public required string WorkspaceName { get; init; }

    public required string Name { get; init; }

    /// <summary>Name of the base image its disk started from.</summary>
    public required string Image { get; init; }

    public required Hardware Hardware { get; init; }

    /// <summary>Megabits per second each way; 0 is unlimited.</summary>
    public int BandwidthMbps { get; init; }

    /// <summary>Null or 0: it stays on.</summary>
    public int? AutoStopMinutes { get; init; }

    /// <summary>A call that needs its desktop starts it, where it does not run.</summary>
    public bool AutoStart { get; init; }

    public bool Starred { get; init; }

    public required ComputerStatus Status { get; init; }

    public string? StatusReason { get; init; }

    public required ComputerSecrets Secrets { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>32 hex digits for <c>/etc/machine-id</c>: the computer's own over every start.</summary>
    public string MachineId => Id.Replace("-", "", StringComparison.Ordinal);

    public string HostName => "carrel-" + InstanceId;

    /// <summary>This, with what <see cref="Computer.Change"/> may have changed meanwhile.</summary>
    public ComputerRecord Keeping(ComputerRecord now) => this with
    {
        AccountId = now.AccountId,
        Name = now.Name,
        WorkspaceId = now.WorkspaceId,
        WorkspaceName = now.WorkspaceName,
        AutoStopMinutes = now.AutoStopMinutes,
        AutoStart = now.AutoStart,
        Starred = now.Starred,
    };

    public ComputerRecord With(ComputerStatus status, string? reason = null) => this with { Status = status, StatusReason = reason };
}

/// <param name="RamGb">GiB.</param>
/// <param name="DiskGb">GiB.</param>
internal sealed record Hardware(double Cpu, int RamGb, int DiskGb, Screen Screen)
{
    public const int MostDiskGb = 1024;

    public static readonly double[] CpuChoices = [0.5, 1, 2, 4, 8, 16];

    public static readonly double[] RamChoices = [1, 2, 4, 8, 16, 32, 64];
}

/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Depth">Bits.</param>
internal sealed record Screen(int Width, int Height, int Depth)
{
    public override string ToString() => $"{Width}x{Height}x{Depth}";
}

/// <summary>Made anew at each start.</summary>
/// <param name="Token">Opens the in-computer API.</param>
/// <param name="VncPassword">Opens VNC and the sockets.</param>
internal sealed record ComputerSecrets(string Token, string VncPassword)
{
    /// <summary>Keeps the secrets out of every log and message.</summary>
    public override string ToString() => "(secret)";
}
