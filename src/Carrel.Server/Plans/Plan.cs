namespace Carrel.Server.Plans;

/// <summary>A row of <c>plans</c>: what an account may have. Null is no limit.</summary>
internal sealed record Plan
{
    public string Name { get; init; } = "";

    public int? MaxComputers { get; init; }

    /// <summary>CPUs of one computer.</summary>
    public double? MaxCpu { get; init; }

    /// <summary>GB of one computer.</summary>
    public int? MaxRamGb { get; init; }

    /// <summary>GB of one computer.</summary>
    public int? MaxDiskGb { get; init; }

    public double? TotalCpu { get; init; }

    public int? TotalRamGb { get; init; }

    public int? TotalDiskGb { get; init; }

    public bool TemplatesAllowed { get; init; } = true;

    public int? RateLimitPerMinute { get; init; }

    public int? MaxApiKeys { get; init; }
}
