using Carrel.Server.Computers;

namespace Carrel.Server.Snapshots;

/// <summary>A row of <c>snapshots</c>; times are Unix milliseconds.</summary>
internal sealed record SnapshotRow
{
    public const string Creating = "creating";
    public const string Ready = "ready";
    public const string Deleting = "deleting";

    public string Id { get; init; } = "";

    public string ComputerId { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Description { get; init; }

    public string Status { get; init; } = "";

    /// <summary>Name of the base image.</summary>
    public string Image { get; init; } = "";

    /// <summary>The base image under the disk: it is needed for as long as the snapshot is.</summary>
    public string? ImageDigest { get; init; }

    public double Cpu { get; init; }

    public int RamGb { get; init; }

    public int DiskGb { get; init; }

    public int Width { get; init; }

    public int Height { get; init; }

    public int Depth { get; init; }

    public long SizeBytes { get; init; }

    public long CreatedAt { get; init; }

    public Hardware Hardware => new(Cpu, RamGb, DiskGb, new Screen(Width, Height, Depth));

    public static SnapshotRow Of(ComputerRecord computer, string id, string name, string? description, DateTimeOffset now) => new()
    {
        Id = id,
        ComputerId = computer.Id,
        Name = name,
        Description = description,
        Status = Creating,
        Image = computer.Image,
        Cpu = computer.Hardware.Cpu,
        RamGb = computer.Hardware.RamGb,
        DiskGb = computer.Hardware.DiskGb,
        Width = computer.Hardware.Screen.Width,
        Height = computer.Hardware.Screen.Height,
        Depth = computer.Hardware.Screen.Depth,
        CreatedAt = now.ToUnixTimeMilliseconds(),
    };
}
