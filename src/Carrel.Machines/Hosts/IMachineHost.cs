using Carrel.Contracts;

namespace Carrel.Machines;

/// <summary>
/// One host's way to run machines: the seam between the control plane and an isolation. Every implementation passes the
/// same conformance suite. Calls for one machine id must not overlap (the computer's mailbox sees to that); calls for
/// different ids run side by side.
/// </summary>
public interface IMachineHost : IAsyncDisposable
{
    MachineCapabilities Capabilities { get; }

    /// <summary>
    /// Launches a machine. Returns once its first process runs; whether its desktop is usable is for the caller to ask
    /// deskd. The disk is created from <paramref name="source"/> when the machine has none yet, otherwise kept. On
    /// failure, and on cancellation, nothing of the attempt stays behind, except a disk that was there before.
    /// </summary>
    Task<Outcome<IMachine>> LaunchAsync(MachineSpec spec, MachineSource source, CancellationToken cancellationToken);

    /// <summary>
    /// Finds the machines that still run after a restart of the server and destroys what belongs to none: half-made
    /// machines, mounts, loop devices, namespaces, cgroups. Disks of ids outside <paramref name="knownIds"/> and snapshots outside
    /// <paramref name="knownSnapshots"/> are deleted. A machine whose disk was being copied goes on.
    /// </summary>
    Task<IReadOnlyList<IMachine>> RecoverAsync(IReadOnlySet<string> knownIds, IReadOnlySet<string> knownSnapshots, CancellationToken cancellationToken);

    /// <summary>Deletes the disk of a machine that does not run. True when there was one.</summary>
    Task<Outcome<bool>> DeleteDiskAsync(string machineId, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the disk of a machine that is yet to be launched from that of another, which may be running: it is frozen for a moment only.
    /// Counts as a call for <paramref name="machineId"/>, too. On failure, and on cancellation, there is no new disk.
    /// </summary>
    Task<Outcome<DiskCopy>> CloneDiskAsync(string machineId, string newMachineId, CancellationToken cancellationToken);

    /// <summary>Keeps a machine's disk as it is now; in all else as <see cref="CloneDiskAsync"/>.</summary>
    /// <param name="snapshotId">Letters, digits and dashes.</param>
    Task<Outcome<DiskCopy>> TakeSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken);

    /// <summary>Makes the disk of a machine that is yet to be launched from a snapshot.</summary>
    Task<Outcome<DiskCopy>> DiskFromSnapshotAsync(string snapshotId, string newMachineId, CancellationToken cancellationToken);

    /// <summary>
    /// Puts a snapshot in the place of the disk of a machine that does not run. Cut off at any point, the old or the new disk is there,
    /// whole; asking again finishes it.
    /// </summary>
    Task<Outcome<bool>> RestoreSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken);

    /// <summary>True when there was one.</summary>
    Task<Outcome<bool>> DeleteSnapshotAsync(string snapshotId, CancellationToken cancellationToken);
}

/// <summary>A running machine.</summary>
public interface IMachine
{
    /// <summary>The id it was launched under; also the computer's <c>instance_id</c>.</summary>
    string Id { get; }

    /// <summary>Completes when the machine's first process has ended, whoever ended it. Never faults.</summary>
    Task<MachineExit> Completion { get; }

    /// <summary>
    /// Opens a byte stream to a service inside. Works from the moment the machine is launched: the service's listening
    /// socket was made by the host, so a connection made before the service is up waits for it instead of failing.
    /// </summary>
    ValueTask<Stream> ConnectAsync(MachineService service, CancellationToken cancellationToken);

    /// <summary>Holds all its processes still where they are; returns when they are. Fine when they are already.</summary>
    Task<Outcome<bool>> PauseAsync(CancellationToken cancellationToken);

    /// <summary>Lets them go on. Fine when they do already.</summary>
    Task<Outcome<bool>> ResumeAsync(CancellationToken cancellationToken);

    /// <summary>Ends the machine and releases all it holds; its disk stays, flushed. Asks politely first, for <paramref name="grace"/>.</summary>
    Task<Outcome<bool>> StopAsync(TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Ends the machine at once and deletes its disk.</summary>
    Task<Outcome<bool>> DestroyAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Sets new limits on the running machine. Each dimension left null stays. Also called once when the desktop is up,
    /// to end the boot burst (a machine launches without its CPU limit, so that booting is not throttled).
    /// </summary>
    Task<Outcome<bool>> ResizeAsync(MachineLimits limits, CancellationToken cancellationToken);

    /// <summary>The limits in force, as the host keeps them. A dimension without a limit is null, but bandwidth, which is 0 then.</summary>
    MachineLimits ReadLimits();

    ValueTask<MachineStats> ReadStatsAsync(CancellationToken cancellationToken);
}

/// <summary>The services inside a machine that the host reaches.</summary>
public enum MachineService
{
    /// <summary>deskd's HTTP API.</summary>
    Deskd,

    /// <summary>Xvnc's RFB protocol.</summary>
    Vnc,
}
