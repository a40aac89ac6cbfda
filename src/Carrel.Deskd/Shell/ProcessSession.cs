using System.Globalization;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>A command with all it started.</summary>
internal static class ProcessSession
{
    /// <summary>
    /// Kills a session: its first process group at once, then whatever else has the session's number, such as the jobs of
    /// a shell with job control. What made a session of its own, as daemons do, lives on.
    /// </summary>
    public static void Kill(int session)
    {
        _ = Libc.kill(-session, Libc.SIGKILL);
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && SessionOf(folder) == session)
            {
                _ = Libc.kill(pid, Libc.SIGKILL);
            }
        }
    }

    private static int SessionOf(string folder)
    {
        try
        {
            // pid (name) state parent group session ...; the name may hold anything, so count from its end.
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 5);
            return int.Parse(fields[3], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It ended while we looked.
            return 0;
        }
    }
}
