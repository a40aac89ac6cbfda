using System.Text;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Identity;

/// <summary>The system's own ideas of who it is.</summary>
internal static class HostNames
{
    /// <summary>True where it was another: the disk is new, or a clone's.</summary>
    public static bool SetMachineId(string path, string machineId)
    {
        var line = machineId + "\n";
        if (File.Exists(path) && File.ReadAllText(path) == line)
        {
            return false;
        }

        File.WriteAllText(path, line);
        return true;
    }

    /// <summary>Sets the host name where it differs and the isolation allows it; at a cold launch it is set already.</summary>
    public static unsafe void SetHostName(string name)
    {
        if (File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd('\n') == name)
        {
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* start = bytes)
        {
            if (Libc.sethostname(start, (nuint)bytes.Length) != 0)
            {
                Log.Write(Errno.Failed($"setting the host name to {name}").Message);
            }
        }
    }
}
