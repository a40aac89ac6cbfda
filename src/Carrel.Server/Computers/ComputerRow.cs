using System.Text.Json;
using Carrel.Server.State;

namespace Carrel.Server.Computers;

/// <summary>A row of <c>computers</c> joined with its workspace.</summary>
internal sealed class ComputerRow
{
    public string Id { get; init; } = "";

    public string InstanceId { get; init; } = "";

    public string AccountId { get; init; } = "";

    public string WorkspaceId { get; init; } = "";

    public string WorkspaceName { get; init; } = "";

    public string Name { get; init; } = "";

    public string Image { get; init; } = "";

    public double Cpu { get; init; }

    public int RamGb { get; init; }

    public int DiskGb { get; init; }

    public int Width { get; init; }

    public int Height { get; init; }

    public int Depth { get; init; }

    public int BandwidthMbps { get; init; }

    public int? AutoStopMinutes { get; init; }

    public long AutoStart { get; init; }

    public long Starred { get; init; }

    public string Status { get; init; } = "";

    public string? StatusReason { get; init; }

    public string Secrets { get; init; } = "";

    public long CreatedAt { get; init; }

    public static ComputerRow From(ComputerRecord record, SecretBox box) => new()
    {
        Id = record.Id,
        InstanceId = record.InstanceId,
        AccountId = record.AccountId,
        WorkspaceId = record.WorkspaceId,
        WorkspaceName = record.WorkspaceName,
        Name = record.Name,
        Image = record.Image,
        Cpu = record.Hardware.Cpu,
        RamGb = record.Hardware.RamGb,
        DiskGb = record.Hardware.DiskGb,
        Width = record.Hardware.Screen.Width,
        Height = record.Hardware.Screen.Height,
        Depth = record.Hardware.Screen.Depth,
        BandwidthMbps = record.BandwidthMbps,
        AutoStopMinutes = record.AutoStopMinutes,
        AutoStart = record.AutoStart ? 1 : 0,
        Starred = record.Starred ? 1 : 0,
        Status = record.Status.Wire(),
        StatusReason = record.StatusReason,
        Secrets = Seal(record.Secrets, box),
        CreatedAt = record.CreatedAt.ToUnixTimeMilliseconds(),
    };

    public static string Seal(ComputerSecrets secrets, SecretBox box) => box.Seal(JsonSerializer.Serialize(secrets));

    public ComputerRecord ToRecord(SecretBox box) => new()
    {
        Id = Id,
        InstanceId = InstanceId,
        AccountId = AccountId,
        WorkspaceId = WorkspaceId,
        WorkspaceName = WorkspaceName,
        Name = Name,
        Image = Image,
        Hardware = new Hardware(Cpu, RamGb, DiskGb, new Screen(Width, Height, Depth)),
        BandwidthMbps = BandwidthMbps,
        AutoStopMinutes = AutoStopMinutes,
        AutoStart = AutoStart != 0,
        Starred = Starred != 0,
        Status = ComputerStatusExtensions.Parse(Status),
        StatusReason = StatusReason,
        Secrets = JsonSerializer.Deserialize<ComputerSecrets>(box.Open(Secrets))!,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
    };
}

/// <summary>A row of <c>operations</c>; times are Unix milliseconds.</summary>
internal sealed class OperationRow
{
    public string Id { get; init; } = "";

    public string ComputerId { get; init; } = "";

    public string InstanceId { get; init; } = "";

    public string AccountId { get; init; } = "";

    public string WorkspaceId { get; init; } = "";

    public string Kind { get; init; } = "";

    /// <summary>The snapshot that is restored.</summary>
    public string? Subject { get; init; }

    public string Status { get; init; } = "";

    public string? Error { get; init; }

    public long CreatedAt { get; init; }

    public long? FinishedAt { get; init; }
}
