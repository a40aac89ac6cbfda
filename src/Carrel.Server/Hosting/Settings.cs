using Carrel.Server.State;

namespace Carrel.Server.Hosting;

/// <summary>Resolved settings; what each means stands in <see cref="SettingTable"/>.</summary>
internal sealed record Settings
{
    public required string Data { get; init; }

    public required Uri Listen { get; init; }

    public Uri? PublicUrl { get; init; }

    public string PortsDomain { get; init; } = "localhost";

    public string Isolation { get; init; } = "auto";

    public required DatabaseAddress Database { get; init; }

    public required string Images { get; init; }

    public string Image { get; init; } = "desktop";

    public string? DesktopDigest { get; init; }

    public required string Deskd { get; init; }

    public string? Dns { get; init; }

    public IReadOnlyList<string> AllowedPrivateRanges { get; init; } = [];

    public int SpareSlots { get; init; } = 2;

    public long MaxBodyBytes { get; init; } = 2 * 1024 * 1024;

    public long MaxUploadBytes { get; init; } = 10 * 1024 * 1024;

    public long MaxExportBytes { get; init; } = 1L << 30;

    public TimeSpan TransferStall { get; init; } = TimeSpan.FromSeconds(60);

    public int MaxProcesses { get; init; } = 4096;

    public TimeSpan ReadyTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(10);

    public double AutoStopCpuPercent { get; init; } = 5;

    public long AutoStopNetworkBytes { get; init; } = 16_384;

    public TimeSpan ScreenshotTtl { get; init; } = TimeSpan.FromHours(1);

    public int ScreenshotsKept { get; init; } = 500;

    public int RecordingMaxSeconds { get; init; } = 3600;

    public long RecordingMaxBytes { get; init; } = 1L << 30;

    public int RecordingsKept { get; init; } = 50;

    public int MaxSnapshots { get; init; } = 20;

    public TimeSpan SocketKeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    public int MaxSockets { get; init; } = 256;

    public string DefaultPlan { get; init; } = "unlimited";

    public int RateLimitPerMinute { get; init; } = 60_000;

    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromDays(1);

    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromDays(7);

    public TimeSpan AuditKept { get; init; } = TimeSpan.FromDays(365);

    public bool AuditActions { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}
