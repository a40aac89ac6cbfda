using System.Collections;

namespace Carrel.Deskd.Shell;

/// <summary>What commands find in their environment: deskd's own, as init made it, with what a desktop's user expects.</summary>
internal static class ShellEnvironment
{
    public const string WorkingFolder = "/root";

    private static readonly (string Name, string Value)[] Defaults =
    [
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("SHELL", "/bin/bash"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("LANG", "C.UTF-8"),
        ("TERM", "dumb"),
        ("XDG_RUNTIME_DIR", "/run/user/0"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/0/bus"),
    ];

    /// <param name="more">What is set beyond and instead of that.</param>
    public static string[] Build(int display, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (!name.StartsWith("DOTNET_", StringComparison.Ordinal) && !name.StartsWith("CARREL_", StringComparison.Ordinal))
            {
                variables[name] = (string?)entry.Value ?? "";
            }
        }

        foreach (var (name, value) in Defaults)
        {
            variables.TryAdd(name, value);
        }

        variables["DISPLAY"] = $":{display}";
        foreach (var (name, value) in more)
        {
            variables[name] = value;
        }

        return [.. variables.Select(v => $"{v.Key}={v.Value}")];
    }
}
