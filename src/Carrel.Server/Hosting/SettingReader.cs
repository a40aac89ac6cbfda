using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Carrel.Contracts;
using Carrel.Server.State;

namespace Carrel.Server.Hosting;

/// <summary>Turns raw values into <see cref="Settings"/>; the first value that makes no sense is named.</summary>
internal sealed class SettingReader(IReadOnlyDictionary<string, string> values)
{
    private Failure? _wrong;

    public static Outcome<Settings> Load(IReadOnlyList<string> flags, Func<string, string?> environment, Func<string, string?> readFile)
    {
        var values = SettingSources.Gather(flags, environment, readFile);
        return values.Succeeded ? new SettingReader(values.Value).Read() : values.Failure;
    }

    private Outcome<Settings> Read()
    {
        var data = Folder(SettingTable.Data);
        var settings = new Settings
        {
            Data = data,
            Listen = Address(SettingTable.Listen) ?? new Uri("http://127.0.0.1:7300"),
            PublicUrl = Address(SettingTable.PublicUrl),
            PortsDomain = Domain(SettingTable.PortsDomain),
            Isolation = OneOf(SettingTable.Isolation, "auto", "container"),
            Database = DatabaseIn(data),
            Images = Folder(SettingTable.Images),
            Image = values[SettingTable.Image],
            Deskd = values[SettingTable.Deskd] is { Length: > 0 } deskd
                ? Path.GetFullPath(deskd)
                : Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "deskd")),
            DesktopDigest = values[SettingTable.DesktopDigest] is { Length: > 0 } digest ? digest : null,
            Dns = Ip(SettingTable.Dns),
            AllowedPrivateRanges = Ranges(SettingTable.AllowedPrivateRanges),
            SpareSlots = (int)Number(SettingTable.SpareSlots, 0, 64),
            MaxBodyBytes = Number(SettingTable.MaxBodyBytes, 65_536, 1_073_741_824),
            MaxUploadBytes = Number(SettingTable.MaxUploadBytes, 1_024, 1_099_511_627_776),
            MaxExportBytes = Number(SettingTable.MaxExportBytes, 1_024, 1_099_511_627_776),
            TransferStall = TimeSpan.FromSeconds(Number(SettingTable.TransferStall, 1, 3600)),
            MaxProcesses = (int)Number(SettingTable.MaxProcesses, 64, 1_000_000),
            ReadyTimeout = TimeSpan.FromSeconds(Number(SettingTable.ReadyTimeout, 1, 3600)),
            StopGrace = TimeSpan.FromSeconds(Number(SettingTable.StopGrace, 0, 600)),
            AutoStopCpuPercent = Number(SettingTable.AutoStopCpuPercent, 0, 6400),
            AutoStopNetworkBytes = Number(SettingTable.AutoStopNetworkBytes, 0, 1_099_511_627_776),
            ScreenshotTtl = TimeSpan.FromSeconds(Number(SettingTable.ScreenshotTtl, 10, 2_592_000)),
            ScreenshotsKept = (int)Number(SettingTable.ScreenshotsKept, 1, 1_000_000),
            MaxSockets = (int)Number(SettingTable.MaxSockets, 1, 10_000),
            RecordingMaxSeconds = (int)Number(SettingTable.RecordingMaxSeconds, 1, 604_800),
            RecordingMaxBytes = Number(SettingTable.RecordingMaxBytes, 1_048_576, 1_099_511_627_776),
            RecordingsKept = (int)Number(SettingTable.RecordingsKept, 1, 1_000_000),
            MaxSnapshots = (int)Number(SettingTable.MaxSnapshots, 0, 1000),
            SocketKeepAlive = TimeSpan.FromSeconds(Number(SettingTable.SocketKeepAlive, 1, 3600)),
            DefaultPlan = values[SettingTable.DefaultPlan],
            RateLimitPerMinute = (int)Number(SettingTable.RateLimit, 0, 1_000_000),
            SessionIdle = TimeSpan.FromMinutes(Number(SettingTable.SessionIdle, 1, 525_600)),
            SessionLifetime = TimeSpan.FromDays(Number(SettingTable.SessionLifetime, 1, 365)),
            AuditKept = TimeSpan.FromDays(Number(SettingTable.AuditDays, 1, 36_500)),
            AuditActions = OneOf(SettingTable.AuditActions, "on", "off") == "on",
            LogLevel = OneOf(SettingTable.LogLevel, "debug", "info", "warn", "error") switch
            {
                "debug" => LogLevel.Debug,
                "warn" => LogLevel.Warning,
                "error" => LogLevel.Error,
                _ => LogLevel.Information,
            },
        };
        return _wrong is null ? settings : _wrong;
    }

    private DatabaseAddress DatabaseIn(string data)
    {
        var address = DatabaseAddress.Parse(values[SettingTable.Database] is { Length: > 0 } given ? given : Path.Combine(data, "carrel.db"));
        _wrong ??= address.Succeeded ? null : address.Failure;
        return address.Succeeded ? address.Value : new DatabaseAddress.Sqlite("");
    }

    private string Folder(string name)
    {
        if (!Path.IsPathRooted(values[name]))
        {
            Refuse(name, "must be an absolute path");
        }

        return values[name];
    }

    private Uri? Address(string name)
    {
        var value = values[name];
        if (value.Length == 0)
        {
            return null;
        }

        if (Uri.TryCreate(value, UriKind.Absolute, out var address)
            && address.Scheme is "http" or "https"
            && address is { Query.Length: 0, Fragment.Length: 0, UserInfo.Length: 0 })
        {
            return address;
        }

        Refuse(name, "must look like http://127.0.0.1:7300");
        return null;
    }

    private string Domain(string name)
    {
        if (values[name] is { Length: > 0 } value && Uri.CheckHostName(value) != UriHostNameType.Dns)
        {
            Refuse(name, "must be a domain such as ports.example.com");
        }

        return values[name].ToLowerInvariant();
    }

    private string? Ip(string name)
    {
        var value = values[name];
        if (value.Length > 0 && !(IPAddress.TryParse(value, out var address) && address.AddressFamily == AddressFamily.InterNetwork))
        {
            Refuse(name, "must be an IPv4 address");
        }

        return value.Length > 0 ? value : null;
    }

    private string[] Ranges(string name)
    {
        var ranges = values[name].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (!ranges.All(range => IPNetwork.TryParse(range, out var network) && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork))
        {
            Refuse(name, "must be IPv4 ranges such as 10.1.0.0/16, parted by commas");
        }

        return ranges;
    }

    private string OneOf(string name, params ReadOnlySpan<string> allowed)
    {
        if (!allowed.Contains(values[name]))
        {
            Refuse(name, "must be one of " + string.Join(", ", allowed!));
        }

        return values[name];
    }

    private long Number(string name, long least, long most)
    {
        if (!long.TryParse(values[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < least || number > most)
        {
            Refuse(name, $"must be a whole number from {least} to {most}");
        }

        return number;
    }

    private void Refuse(string name, string why) => _wrong ??= new(
        ErrorCodes.InvalidField,
        $"The setting {name} ({SettingTable.All.Single(setting => setting.Name == name).Variable}) {why}, but is \"{values[name]}\".");
}
