using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Carrel.Contracts.Files;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>What the kernel says of a file.</summary>
internal readonly unsafe struct FileStatus(Libc.Statx status)
{
    private const int TypeBits = 0xf000;
    private const int Folder = 0x4000;
    private const int Regular = 0x8000;
    private const int Symlink = 0xa000;

    public bool IsFile => (status.Mode & TypeBits) == Regular;

    public bool IsFolder => (status.Mode & TypeBits) == Folder;

    public bool IsSymlink => (status.Mode & TypeBits) == Symlink;

    public long Size => (long)status.Size;

    public uint Permissions => (uint)status.Mode & 0xfff;

    public uint Owner => status.Owner;

    public uint Group => status.Group;

    public DateTimeOffset Modified =>
        DateTimeOffset.UnixEpoch.AddSeconds(Math.Clamp(status.Modified.Seconds, -62_135_596_800, 253_402_300_799)).AddMilliseconds(status.Modified.Nanoseconds / 1_000_000);

    /// <summary>Differs after every change: the time in nanoseconds, the size, and which file it is.</summary>
    public string Tag => string.Create(
        CultureInfo.InvariantCulture, $"\"{status.Modified.Seconds:x}{status.Modified.Nanoseconds:x8}-{status.Size:x}-{status.Inode:x}\"");

    public string Type => (status.Mode & TypeBits) switch
    {
        Regular => "file",
        Folder => "directory",
        Symlink => "symlink",
        0x1000 => "fifo",
        0xc000 => "socket",
        0x2000 => "char_device",
        _ => "block_device",
    };

    public static FileStatus? Of(Descriptor file) => Of(file.Fd, "\0"u8, Libc.AT_EMPTY_PATH);

    /// <summary>Null where there is none, with the reason in errno.</summary>
    public static FileStatus? Of(int folder, ReadOnlySpan<byte> path, int flags)
    {
        Libc.Statx status;
        fixed (byte* start = path)
        {
            return Libc.statx(folder, start, flags, Libc.STATX_BASIC, &status) == 0 ? new FileStatus(status) : null;
        }
    }

    /// <summary>Where a symbolic link leads, or null.</summary>
    public static byte[]? TargetOf(int folder, ReadOnlySpan<byte> path)
    {
        var buffer = stackalloc byte[4096];
        fixed (byte* start = path)
        {
            var length = Libc.readlinkat(folder, start, buffer, 4096);
            return length < 0 ? null : new ReadOnlySpan<byte>(buffer, (int)length).ToArray();
        }
    }

    /// <param name="name">As bytes; one that is no UTF-8 is given for URLs too.</param>
    public void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, byte[]? target, OwnerNames owners)
    {
        if (System.Text.Unicode.Utf8.IsValid(name))
        {
            json.WriteString("name"u8, name);
        }
        else
        {
            json.WriteString("name"u8, System.Text.Encoding.UTF8.GetString(name));
            json.WriteString("name_encoded"u8, GuestPath.Encode(name));
        }

        json.WriteString("type"u8, Type);
        json.WriteNumber("size"u8, Size);
        json.WriteString("mtime"u8, Modified.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteString("mode"u8, Octal(Permissions));
        json.WriteString("owner"u8, owners.User(Owner));
        json.WriteString("group"u8, owners.Group(Group));
        json.WriteNumber("uid"u8, Owner);
        json.WriteNumber("gid"u8, Group);
        if (target is not null)
        {
            json.WriteString("target"u8, System.Text.Encoding.UTF8.GetString(target));
        }
    }

    public static string Octal(uint permissions) => Convert.ToString((int)permissions, 8).PadLeft(4, '0');
}
