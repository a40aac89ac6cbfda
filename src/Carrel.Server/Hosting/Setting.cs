namespace Carrel.Server.Hosting;

/// <summary>One setting: <c>name</c> in carrel.json, <c>CARREL_NAME</c> in the environment, <c>--name</c> as a flag; later ones win.</summary>
internal sealed record Setting(string Name, string Default, string Meaning)
{
    public string Variable => "CARREL_" + Name.ToUpperInvariant();

    public string Flag => "--" + Name.Replace('_', '-');
}

/// <summary>All settings there are. docs/settings.md holds the same table; a test compares them.</summary>
internal static class SettingTable
{
    public const string Data = "data";
    public const string Listen = "listen";
    public const string PublicUrl = "public_url";
    public const string PortsDomain = "ports_domain";
    public const string Isolation = "isolation";
    public const string Database = "database";
    public const string Images = "images";
    public const string Image = "image";
    public const string DesktopDigest = "desktop_digest";
    public const string Deskd = "deskd";
    public const string Dns = "dns";
    public const string AllowedPrivateRanges = "allowed_private_ranges";
    public const string SpareSlots = "spare_slots";
    public const string MaxBodyBytes = "max_body_bytes";
    public const string MaxUploadBytes = "max_upload_bytes";
    public const string MaxExportBytes = "max_export_bytes";
    public const string TransferStall = "transfer_stall_seconds";
    public const string MaxProcesses = "max_processes";
    public const string ReadyTimeout = "ready_timeout_seconds";
    public const string StopGrace = "stop_grace_seconds";
    public const string AutoStopCpuPercent = "auto_stop_cpu_percent";
    public const string AutoStopNetworkBytes = "auto_stop_network_bytes";
    public const string ScreenshotTtl = "screenshot_ttl_seconds";
    public const string ScreenshotsKept = "screenshots_kept";
    public const string MaxSockets = "max_sockets";
    public const string RecordingMaxSeconds = "recording_max_seconds";
    public const string RecordingMaxBytes = "recording_max_bytes";
    public const string RecordingsKept = "recordings_kept";
    public const string MaxSnapshots = "max_snapshots";
    public const string SocketKeepAlive = "socket_keepalive_seconds";
    public const string DefaultPlan = "default_plan";
    public const string RateLimit = "rate_limit_per_minute";
    public const string SessionIdle = "session_idle_minutes";
    public const string SessionLifetime = "session_days";
    public const string AuditDays = "audit_days";
    public const string AuditActions = "audit_actions";
    public const string LogLevel = "log_level";

    public static IReadOnlyList<Setting> All { get; } =
    [
        new(Data, "/var/lib/carrel", "Folder of the database, disks, stored screenshots and keys of one installation."),
        new(Listen, "http://127.0.0.1:7300", "Address and port the server listens on; port 0 takes a free one."),
        new(PublicUrl, "", "Address under which clients reach the server, for the URLs it answers with. Empty: the address each request came to."),
        new(PortsDomain, "localhost", "Domain under which each port of a computer has an origin of its own, `{port}-{instance}.{domain}`; all names below it must lead to this server. Empty: none."),
        new(Isolation, "auto", "How computers are fenced off: `auto` or `container`."),
        new(Database, "", "Where the state is: path of an SQLite file, or a PostgreSQL database as `postgresql://user:password@host:5432/database`. Empty: `carrel.db` in the data folder."),
        new(Images, "/var/cache/carrel/images", "Folder of the base images; installations may share it."),
        new(Image, "desktop", "Base image of a new computer."),
        new(DesktopDigest, "", "Digest of the base image of new computers, for several in one folder. Empty: the newest."),
        new(Deskd, "", "Folder of the published deskd. Empty: `deskd` beside the server's own folder."),
        new(Dns, "", "DNS server that computers use, an IPv4 address. Empty: the host's first that is not on loopback."),
        new(AllowedPrivateRanges, "", "Private ranges that computers may reach all the same, as CIDRs parted by commas."),
        new(SpareSlots, "2", "User and network namespaces made ahead of the next creates (0 to 64)."),
        new(MaxBodyBytes, "2097152", "Largest request body, in bytes (65536 to 1073741824)."),
        new(MaxUploadBytes, "10485760", "Largest file that POST /files/upload takes, in bytes (1024 to 1099511627776)."),
        new(MaxExportBytes, "1073741824", "Largest file that POST /files/export takes out of a computer, in bytes (1024 to 1099511627776)."),
        new(TransferStall, "60", "A transfer of a file that does not move for so long is ended, in seconds (1 to 3600)."),
        new(MaxProcesses, "4096", "Processes and threads a computer may have (64 to 1000000)."),
        new(ReadyTimeout, "60", "How long a desktop may take to be ready after launch, in seconds (1 to 3600)."),
        new(StopGrace, "10", "How long a stopping computer may take to end by itself, in seconds (0 to 600)."),
        new(AutoStopCpuPercent, "5", "A computer that takes more CPU than this over a minute is not idle, in percent of one CPU (0 to 6400)."),
        new(AutoStopNetworkBytes, "16384", "A computer that moves more bytes than this over the network in a minute is not idle (0 to 1099511627776)."),
        new(ScreenshotTtl, "3600", "How long a stored screenshot and its URL live, in seconds (10 to 2592000)."),
        new(ScreenshotsKept, "500", "Stored screenshots kept per computer; the oldest go first (1 to 1000000)."),
        new(MaxSockets, "256", "Sockets that may be open to one computer at once (1 to 10000); one more is closed with 1013."),
        new(RecordingMaxSeconds, "3600", "A recording ends by itself after so long, in seconds (1 to 604800)."),
        new(RecordingMaxBytes, "1073741824", "A recording ends by itself at this size, in bytes (1048576 to 1099511627776)."),
        new(RecordingsKept, "50", "Finished recordings kept per computer; the oldest go first (1 to 1000000)."),
        new(MaxSnapshots, "20", "Snapshots that a computer may have (0 to 1000)."),
        new(SocketKeepAlive, "30", "A WebSocket peer is asked for a sign of life this often, and dropped if it gives none for as long, in seconds (1 to 3600)."),
        new(DefaultPlan, "unlimited", "Plan of new users; one that does not exist is taken for `unlimited`."),
        new(RateLimit, "60000", "Requests per minute with one API key or in one browser session, a tenth of them at once, where the plan does not say (0 to 1000000); 0 is no limit."),
        new(SessionIdle, "1440", "A browser session ends when it is not used for so long, in minutes (1 to 525600)."),
        new(SessionLifetime, "7", "A browser session ends at this age, in days (1 to 365)."),
        new(AuditDays, "365", "How long the audit log is kept, in days (1 to 36500)."),
        new(AuditActions, "off", "Whether the audit log also holds every action on a desktop: `on` or `off`."),
        new(LogLevel, "info", "Least severity written to the log: `debug`, `info`, `warn` or `error`."),
    ];
}
