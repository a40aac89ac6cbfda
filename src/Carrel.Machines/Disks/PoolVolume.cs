using Carrel.Contracts;
using Carrel.Machines.Native;
using Carrel.Machines.Processes;

namespace Carrel.Machines.Disks;

/// <summary>
/// One large file in the data folder with an XFS inside, mounted for as long as the server or a machine runs. The file is
/// allocated, not sparse: were the host to run full, a pool that could not write its log would shut down under every computer. It
/// begins small and grows before its free space ends, up to what the host keeps for itself.
/// </summary>
/// <remarks>
/// The loop device goes past the page cache of the file, as those of the disks in the pool do, so every block is cached
/// once, by the file system of the computer it belongs to. Nothing is discarded: what is freed inside stays allocated.
/// </remarks>
internal sealed class PoolVolume(Folders folders, long reservedBytes, TimeProvider time) : DiskVolume
{
    private const long GiB = 1L << 30;

    /// <summary>What the pool begins with and grows by.</summary>
    private const long Step = 4 * GiB;

    /// <summary>With less than this free, it grows.</summary>
    private const long LowWater = 2 * GiB;

    /// <summary>With less than this free where it cannot grow, nothing new is made.</summary>
    private const long Margin = GiB / 4;

    /// <summary>What is kept free for computers that go on without a server, which would let it grow.</summary>
    private const long Unattended = 4 * GiB;

    private const long LeastPool = GiB / 2;
    private const long Grain = GiB / 8;

    // One look costs a system call; between two, a fast disk takes some 2 GB.
    private static readonly TimeSpan Watching = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _watch = Task.CompletedTask;
    private string? _device;

    internal override string Folder => folders.Pool;

    /// <summary>Mounts the pool. A host without room for one is no failure yet: whoever needs it next hears of it.</summary>
    internal async Task<Failure?> OpenAsync()
    {
        File.Delete(Unfinished);
        var failure = await EnsureAsync().ConfigureAwait(false);
        _watch = Task.Run(WatchAsync);
        return failure is { Code: ErrorCodes.HostDiskFull } ? null : failure;
    }

    internal override async Task<Failure?> MakeRoomAsync(long bytes)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_device is null && await EnsureAsync().ConfigureAwait(false) is { } failure)
            {
                return failure;
            }

            GrowFor(bytes + LowWater);
            return Free(Folder) - bytes < Margin ? Full(folders.Data, Free(folders.Data), reservedBytes) : null;
        }
        catch (IOException e)
        {
            return HostFailure.Of(e);
        }
        finally
        {
            _changing.Release();
        }
    }

    internal override async Task CloseAsync(bool idle)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (idle)
            {
                await UnmountAsync(folders, time).ConfigureAwait(false);
                _device = null;
            }
            else if (_device is not null)
            {
                GrowFor(Unattended);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(false);
        _stop.Dispose();
        _changing.Dispose();
    }

    /// <summary>Also for installations that are no more.</summary>
    internal static async Task UnmountAsync(Folders folders, TimeProvider time)
    {
        while (Directory.Exists(folders.Pool) && Mounts.DeviceAt(folders.Pool) is not null)
        {
            await Mounts.UnmountAsync(folders.Pool, time).ConfigureAwait(false);
        }
    }

    private string Unfinished => folders.PoolFile + ".partial";

    private async Task<Failure?> EnsureAsync()
    {
        try
        {
            if (!File.Exists(folders.PoolFile) && await MakeAsync().ConfigureAwait(false) is { } failure)
            {
                return failure;
            }

            _device = Taken() ?? Mount();
            FitIn(new FileInfo(folders.PoolFile).Length); // A server that was killed while it grew the pool grew the file only.
            return null;
        }
        catch (IOException e)
        {
            return HostFailure.Of(e);
        }
    }

    private async Task<Failure?> MakeAsync()
    {
        var size = Math.Min(Step, Grantable());
        if (size < LeastPool)
        {
            return Full(folders.Data, Free(folders.Data), reservedBytes);
        }

        Allocate(Unfinished, 0, size);
        // Few and large groups, because each step of growth adds groups of this size.
        var failure = await ProcessRunner.TryAsync(
            ["mkfs.xfs", "-q", "-K", "-s", "size=4096", "-m", "reflink=1,rmapbt=0", "-d", "agcount=2", Unfinished]).ConfigureAwait(false);
        if (failure is null)
        {
            File.Move(Unfinished, folders.PoolFile);
        }

        return failure;
    }

    /// <summary>The device of the pool that a server before this one mounted.</summary>
    private string? Taken()
    {
        while (Mounts.DeviceAt(folders.Pool) is { } device)
        {
            if (LoopDevice.BackingFile(device) == folders.PoolFile)
            {
                return device;
            }

            // The pool of a data folder that was deleted and made anew: it goes when the last of its machines is released.
            Mounts.Detach(folders.Pool);
        }

        return null;
    }

    private string Mount()
    {
        var (device, handle) = LoopDevice.Attach(folders.PoolFile, direct: true);
        using (handle)
        {
            Mounts.Attach(device, "xfs", ["nouuid"], folders.Pool);
        }

        return device;
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Watching, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                if (_device is not null && Free(Folder) < LowWater)
                {
                    // What keeps it from growing is told to whoever asks for room next.
                    await MakeRoomAsync(0).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }

    /// <summary>Grows the pool until so much is free, as far as the host allows.</summary>
    private void GrowFor(long free)
    {
        var missing = free - Free(Folder);
        if (missing <= 0)
        {
            return;
        }

        var grain = Math.Min(Math.Max(Step, (missing + Grain - 1) / Grain * Grain), Grantable()) / Grain * Grain;
        if (grain > 0)
        {
            var size = new FileInfo(folders.PoolFile).Length;
            Allocate(folders.PoolFile, size, grain);
            FitIn(size + grain);
        }
    }

    private void FitIn(long bytes)
    {
        using (var device = Fd.Open(_device!, Fd.ReadWrite))
        {
            LoopDevice.Grown(device);
        }

        FileSystem.GrowXfs(folders.Pool, bytes);
    }

    private long Grantable() => Math.Max(0, Free(folders.Data) - reservedBytes);

    private static void Allocate(string file, long offset, long bytes)
    {
        using var handle = File.OpenHandle(file, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        Errno.Check(Libc.Allocate((int)handle.DangerousGetHandle(), 0, offset, bytes), $"allocate {bytes >> 20} MiB in {file}");
    }
}
