using System.Runtime.InteropServices;

namespace Carrel.Machines.Native;

/// <summary>Attaches a file to a free loop device.</summary>
internal static unsafe class LoopDevice
{
    private const nuint GetFree = 0x4C82;
    private const nuint Configure = 0x4C0A;
    private const nuint SetCapacity = 0x4C07;
    private const int ConfigSize = 304;
    private const int FlagsOffset = 8 + 5 * 8 + 4 * 3;
    private const uint AutoClear = 4;
    private const uint DirectIo = 16;
    private const uint BlockDeviceMode = 0x6000 | 0x180;

    /// <summary>
    /// Attaches <paramref name="file"/> and returns the device's path and a handle that keeps it attached. The device
    /// detaches itself when the last user is gone (AUTOCLEAR): the handle, then the mount. So a crash leaks none.
    /// </summary>
    /// <param name="direct">Goes past the file's page cache, where the file system can: what is mounted from the device has a cache of its own.</param>
    internal static (string Path, Fd Handle) Attach(string file, bool direct)
    {
        using var backing = Fd.Open(file, Fd.ReadWrite);
        using var control = Fd.Open("/dev/loop-control", Fd.ReadWrite);
        while (true)
        {
            var number = Errno.Check(Libc.Ioctl(control.Value, GetFree, 0), "find a free loop device");
            var path = $"/dev/loop{number}";
            EnsureNode(path, number);
            var device = Fd.Open(path, Fd.ReadWrite);
            if (TryConfigure(device, backing, direct ? AutoClear | DirectIo : AutoClear))
            {
                return (path, device);
            }

            var errno = Marshal.GetLastPInvokeError();
            device.Dispose();
            if (errno != Errno.Busy)
            {
                throw new NativeException($"attach {file} to {path}", errno);
            }
            // Somebody else took it between the two calls: ask for another.
        }
    }

    /// <summary>Makes the device see that its file has grown.</summary>
    internal static void Grown(Fd device) => Errno.Check(Libc.Ioctl(device.Value, SetCapacity, 0), "grow a loop device");

    private static bool TryConfigure(Fd device, Fd backing, uint flags)
    {
        // struct loop_config: fd u32, block_size u32, loop_info64 (232 bytes), 8 reserved u64.
        var config = stackalloc byte[ConfigSize];
        new Span<byte>(config, ConfigSize).Clear();
        *(uint*)config = (uint)backing.Value;
        *(uint*)(config + FlagsOffset) = flags;
        return Libc.Ioctl(device.Value, Configure, (nint)config) == 0;
    }

    /// <summary>The file behind a device, as the kernel names it now: with " (deleted)" after it where it has no name any more.</summary>
    internal static string BackingFile(string device) => File.ReadAllText($"/sys/block/{Path.GetFileName(device)}/loop/backing_file").TrimEnd('\n');

    // Where /dev is no devtmpfs, the kernel makes the device but nobody makes its node.
    private static void EnsureNode(string path, int number)
    {
        if (!File.Exists(path) && Libc.MakeNode(path, BlockDeviceMode, (7UL << 8) | (uint)number) < 0
            && Marshal.GetLastPInvokeError() != Errno.Exists)
        {
            throw new NativeException($"make the device node {path}", Marshal.GetLastPInvokeError());
        }
    }
}
