using System.Security.Cryptography;
using System.Text;
using Carrel.Machines.Native;

namespace Carrel.Machines;

/// <summary>The one place that knows the layout of state on the host.</summary>
internal sealed class Folders
{
    internal Folders(MachineOptions options)
        : this(options.DataFolder, options.RuntimeFolder)
    {
    }

    private Folders(string data, string runtime)
    {
        Data = Path.GetFullPath(data);
        Runtime = Path.GetFullPath(runtime);
        // The path is the installation's identity: two on one host have two, and it needs no file that could be lost.
        Installation = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Data)))[..8];
    }

    /// <summary>8 hex digits, part of the name of everything this installation holds on the host.</summary>
    internal string Installation { get; }

    internal string Data { get; }

    internal string Runtime { get; }

    internal string Disks => Path.Combine(Data, "disks");

    /// <summary>The file that holds disks and snapshots where the data folder's file system cannot share blocks between files.</summary>
    internal string PoolFile => Path.Combine(Data, "pool.img");

    /// <summary>Where the pool is mounted.</summary>
    internal string Pool => Path.Combine(Runtime, Installation, "pool");

    internal string Machines => Path.Combine(Runtime, Installation, "machines");

    internal string Runc => Path.Combine(Runtime, Installation, "runc");

    /// <summary>Where lxcfs is mounted; its pid file is beside it.</summary>
    internal string Lxcfs => Path.Combine(Runtime, Installation, "lxcfs");

    /// <summary>Leases of slots, of all installations.</summary>
    internal string Slots => Path.Combine(Runtime, "slots");

    /// <summary>
    /// Makes the folders. Everybody may pass through those above a machine's (runc's init does, as the machine's root), none
    /// but root may list them or enter what is secret.
    /// </summary>
    internal void Create()
    {
        const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode Pass = Mine | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (var (folder, mode) in (ReadOnlySpan<(string, UnixFileMode)>)
            [(Runtime, Pass), (Path.Combine(Runtime, Installation), Pass), (Machines, Pass), (Runc, Mine), (Pool, Mine), (Slots, Mine), (Data, Mine), (Disks, Mine)])
        {
            Directory.CreateDirectory(folder, mode);
        }

        File.WriteAllText(Owner, Data);
    }

    /// <summary>
    /// Installations whose data folder is gone, deleted while computers ran: nobody else will ever take these away.
    /// </summary>
    internal IEnumerable<Folders> Abandoned() => Directory.EnumerateDirectories(Runtime)
        .Select(folder => Path.Combine(folder, "data"))
        .Where(File.Exists)
        .Select(owner => new Folders(File.ReadAllText(owner), Runtime))
        .Where(other => other.Installation != Installation && !Directory.Exists(other.Data));

    private string Owner => Path.Combine(Runtime, Installation, "data");

    /// <summary>
    /// Removes the installation's runtime folders, which must hold no machine. Whose they are is forgotten last, so that another server
    /// finds what is left of it; one of an older version has no pool.
    /// </summary>
    internal void RemoveRuntime()
    {
        foreach (var folder in (ReadOnlySpan<string>)[Machines, Runc, Pool])
        {
            DeleteIfThere(folder);
        }

        File.Delete(Owner);
        DeleteIfThere(Path.Combine(Runtime, Installation));
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder);
        }
    }

    /// <summary>Path of a machine's control group below each hierarchy's root.</summary>
    internal string CgroupOf(string id) => $"/carrel/{Installation}/{id}";

    internal MachineFolder Machine(string id) => new(Path.Combine(Machines, id));
}

/// <summary>The runtime state of one machine. The guest sees none of it but what is mounted at <see cref="RootFs"/>.</summary>
internal sealed record MachineFolder(string Path)
{
    internal string State => In("machine.json");

    internal string Bundle => In("bundle");

    internal string PidFile => In("pid");

    internal string Lower => In("lower");

    internal string Disk => In("disk");

    internal string RootFs => In("rootfs");

    internal string Socket(MachineService service) => In(service == MachineService.Deskd ? "deskd.sock" : "vnc.sock");

    /// <summary>Makes it, to be entered by the host's root and the machine's root group alone.</summary>
    internal void Create(uint rootGid)
    {
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute);
        Errno.Check(Libc.ChangeOwner(Path, 0, rootGid), $"give {Path} to group {rootGid}");
        Directory.CreateDirectory(Bundle, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
