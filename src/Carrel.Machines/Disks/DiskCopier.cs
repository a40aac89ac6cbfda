using Carrel.Contracts;
using Carrel.Machines.Native;

namespace Carrel.Machines.Disks;

/// <summary>
/// Copies the disk of a machine, which may be running. A running one is frozen for the moment of the copy, so that it holds all that
/// was written before, in order.
/// </summary>
/// <remarks>
/// (1) What is dirty is written out while the machine goes on, again until little is left. (2) Its file system is frozen: writers
/// wait. (3) The blocks are shared with the new file. (4) It is thawed, whatever happened; after a kill in between, recovery
/// thaws. A disk of an older version, which lies outside of the volume, is copied before 2 and brought up to date in 3.
/// </remarks>
internal sealed class DiskCopier(DiskVolume volume, TimeProvider time)
{
    private const int MostPasses = 4;
    private static readonly TimeSpan LittleLeft = TimeSpan.FromMilliseconds(10);

    /// <param name="mountPoint">Where the disk is mounted; null where it is not.</param>
    /// <param name="make">Makes the copy, given how to fill its file.</param>
    internal async Task<Outcome<DiskCopy>> CopyAsync(Disk source, string? mountPoint, Func<DiskInfo, Action<string>, Disk> make, CancellationToken cancellationToken)
    {
        if (await volume.MakeRoomAsync(source.Direct ? 0 : source.UsedBytes).ConfigureAwait(false) is { } full)
        {
            return full;
        }

        try
        {
            return await Task.Run(() => Copy(source, mountPoint, make, cancellationToken), CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            return HostFailure.Of(e);
        }
    }

    private DiskCopy Copy(Disk source, string? mountPoint, Func<DiskInfo, Action<string>, Disk> make, CancellationToken cancellationToken)
    {
        var frozen = TimeSpan.Zero;
        var info = DiskStore.Current(source).Info;
        var copy = make(info, file =>
        {
            if (mountPoint is null)
            {
                DiskStore.Clone(source.File, file);
                return;
            }

            WriteOut(mountPoint, cancellationToken);
            if (!source.Direct)
            {
                SharedBlocks.CopyDifferences(source.File, file);
            }

            cancellationToken.ThrowIfCancellationRequested();
            frozen = Frozen(mountPoint, () => DiskStore.Clone(source.File, file));
        });
        return new DiskCopy(frozen, info.Image, info.SizeBytes, copy.UsedBytes);
    }

    private void WriteOut(string mountPoint, CancellationToken cancellationToken)
    {
        for (var pass = 0; pass < MostPasses; pass++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var begun = time.GetTimestamp();
            FileSystem.Sync(mountPoint);
            if (time.GetElapsedTime(begun) < LittleLeft)
            {
                return;
            }
        }
    }

    private TimeSpan Frozen(string mountPoint, Action work)
    {
        var begun = time.GetTimestamp();
        FileSystem.Freeze(mountPoint);
        try
        {
            work();
        }
        finally
        {
            FileSystem.Thaw(mountPoint);
        }

        return time.GetElapsedTime(begun);
    }
}
