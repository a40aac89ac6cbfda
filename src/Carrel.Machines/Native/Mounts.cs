using System.Text;

namespace Carrel.Machines.Native;

/// <summary>Mounts, in the vocabulary of this project.</summary>
internal static class Mounts
{
    private const uint NoDev = 0x4;
    private const uint NoAtime = 0x10;
    private const ulong IdMap = 0x00100000;
    private const ulong BindFlag = 0x1000;
    private const int DetachFlag = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Bind-mounts one file over another.</summary>
    internal static void Bind(string source, string target)
        => Errno.Check(Libc.Mount(source, target, null, BindFlag, null), $"bind {source} on {target}");

    /// <summary>A detached copy of the tree mounted at <paramref name="path"/>, its ids mapped by a user namespace.</summary>
    internal static void AttachIdMapped(string path, Fd userNamespace, string target)
    {
        using var tree = new Fd(Errno.Check(Libc.OpenTreeClone(path), $"copy the mount of {path}"));
        MapIds(tree, userNamespace, path);
        Errno.Check(Libc.MoveMount(tree.Value, target), $"attach {path} at {target}");
    }

    /// <summary>
    /// Mounts the file system on a block device, ids mapped, at <paramref name="target"/>. The unmapped mount is never attached
    /// anywhere, so a guest's set-uid files are at no moment executable as host root.
    /// </summary>
    internal static void AttachDisk(string device, string type, IReadOnlyList<string> flags, Fd userNamespace, string target)
    {
        using var mount = Detached(device, type, flags);
        MapIds(mount, userNamespace, device);
        Errno.Check(Libc.MoveMount(mount.Value, target), $"attach {device} at {target}");
    }

    /// <summary>Mounts a file system of the host's own.</summary>
    internal static void Attach(string device, string type, IReadOnlyList<string> flags, string target)
    {
        using var mount = Detached(device, type, flags);
        Errno.Check(Libc.MoveMount(mount.Value, target), $"attach {device} at {target}");
    }

    /// <summary>The device mounted last at <paramref name="target"/>, or null where nothing is.</summary>
    internal static string? DeviceAt(string target) => File.ReadLines("/proc/self/mountinfo")
        .Select(line => line.Split(' '))
        .Where(fields => Unescape(fields[4]) == target)
        .Select(fields => fields[Array.IndexOf(fields, "-") + 2])
        .LastOrDefault();

    private static Fd Detached(string device, string type, IReadOnlyList<string> flags)
    {
        using var fs = new Fd(Errno.Check(Libc.FsOpen(type), $"open an {type} context"));
        Errno.Check(Libc.FsConfigString(fs.Value, "source", device), $"set the device {device}");
        foreach (var flag in flags)
        {
            Errno.Check(Libc.FsConfigFlag(fs.Value, flag), $"set {flag}");
        }

        Errno.Check(Libc.FsConfigCreate(fs.Value), $"read the {type} file system on {device}");
        return new Fd(Errno.Check(Libc.FsMount(fs.Value, NoDev | NoAtime), $"mount {device}"));
    }

    /// <summary>An overlay whose work files are created as <paramref name="rootUid"/>, the guest's root on the host.</summary>
    internal static void AttachOverlay(string lower, string upper, string work, string target, uint rootUid)
    {
        using var identity = FsIdentity.Assume(rootUid);
        Errno.Check(
            Libc.Mount("overlay", target, "overlay", NoDev, $"lowerdir={lower},upperdir={upper},workdir={work},xino=off"),
            $"mount an overlay at {target}");
    }

    /// <summary>Detaches whatever is mounted at <paramref name="target"/>; fine if nothing is.</summary>
    internal static void Detach(string target)
    {
        while (Libc.Unmount(target, DetachFlag) == 0)
        {
            // A path may be mounted over more than once after a crash.
        }
    }

    /// <summary>
    /// Unmounts and waits for the file system to be written. Busy is waited out for a moment, because the reasons pass by
    /// themselves and the kernel announces none of them: a process that is just being started holds copies of all open files until
    /// it has become its program, and a process that has ended gives its files back a little later. Throws when it stays busy.
    /// </summary>
    internal static async Task UnmountAsync(string target, TimeProvider time, TimeSpan? patience = null)
    {
        var started = time.GetTimestamp();
        for (var wait = 1; ; wait = Math.Min(wait * 2, 50))
        {
            try
            {
                Errno.Check(Libc.Unmount(target, 0), $"unmount {target}");
                return;
            }
            catch (NativeException e) when (e.Errno == Errno.Busy && time.GetElapsedTime(started) < (patience ?? Patience))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(wait), time).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Mount points at or below <paramref name="folder"/>, innermost first.</summary>
    internal static IReadOnlyList<string> Below(string folder)
    {
        var prefix = folder + "/";
        return [.. File.ReadLines("/proc/self/mountinfo")
            .Select(line => Unescape(line.Split(' ')[4]))
            .Where(point => point == folder || point.StartsWith(prefix, StringComparison.Ordinal))
            .Reverse()];
    }

    private static void MapIds(Fd mount, Fd userNamespace, string what)
    {
        var attributes = new Libc.MountAttributes { Set = IdMap, UserNamespaceFd = (ulong)userNamespace.Value };
        Errno.Check(Libc.MountSetAttributes(mount.Value, attributes), $"map the ids of {what}");
    }

    // mountinfo writes space, tab, newline and backslash as octal.
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length)
            {
                result.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }
}
