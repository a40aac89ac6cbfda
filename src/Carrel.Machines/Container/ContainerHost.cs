using System.Text.Json.Nodes;
using Carrel.Contracts;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Disks;
using Carrel.Machines.Images;
using Carrel.Machines.Native;
using Carrel.Machines.Networks;
using Carrel.Machines.Processes;
using Carrel.Machines.Slots;
using Carrel.Machines.Undo;
using Carrel.Machines.Views;

namespace Carrel.Machines.Container;

/// <summary>
/// Machines as containers: runc with an unprivileged user namespace over ID-mapped layers.
/// </summary>
/// <remarks>
/// A launch: (1) take a slot from the pool, (2) make the state folder and write down what will be held, (3) find or create the
/// disk, (4) mount the root, (5) listen on the machine's sockets, (6) write the OCI configuration, (7) runc starts init with
/// the sockets. Each step's undo is pushed in the moment it is done.
/// </remarks>
internal sealed class ContainerHost : IMachineHost
{
    private readonly Folders _folders;
    private readonly ImageStore _images;
    private readonly DiskVolume _volume;
    private readonly DiskStore _disks;
    private readonly DiskCopier _copier;
    private readonly SlotPool _slots;
    private readonly SlotNetwork _network;
    private readonly OciSpec _spec;
    private readonly Teardown _teardown;
    private readonly Sweep _sweep;
    private readonly MachineViews? _views;
    private readonly SlotLeases _leases;
    private readonly TimeProvider _time;

    private ContainerHost(
        MachineOptions options, Folders folders, DiskVolume volume, SlotLeases leases, SlotFactory factory, SlotNetwork network, MachineViews? views, TimeProvider time)
    {
        _views = views;
        _leases = leases;
        _folders = folders;
        _network = network;
        _time = time;
        _images = new ImageStore(options.ImageFolder, options.DesktopDigest);
        _volume = volume;
        _disks = new DiskStore(folders, volume);
        _copier = new DiskCopier(volume, time);
        _spec = new OciSpec(options.DeskdFolder, views is null ? null : folders.Lxcfs, SeccompProfile.HostFile);
        _teardown = new Teardown(folders, leases, factory, time);
        _sweep = new Sweep(folders, _disks, _teardown);
        _slots = new SlotPool(factory, options.SpareSlots);
    }

    public MachineCapabilities Capabilities { get; } = new("container", MemorySnapshots: false, LiveMemoryGrowth: true, PauseKeepsMemory: true);

    /// <summary>Prepares the host (forwarding, static rules) and cleans up what a crash left of slots nobody uses.</summary>
    internal static async Task<Outcome<IMachineHost>> CreateAsync(MachineOptions options, TimeProvider time)
    {
        var folders = new Folders(options);
        folders.Create();

        var dns = HostResolver.Find(options.DnsServer);
        if (!dns.Succeeded)
        {
            return dns.Failure;
        }

        var network = new SlotNetwork(folders.Installation, dns.Value, options.AllowedPrivateRanges);
        if (await network.PrepareHostAsync().ConfigureAwait(false) is { } failure)
        {
            return failure;
        }

        foreach (var abandoned in folders.Abandoned())
        {
            try
            {
                await Sweep.AbandonedAsync(abandoned, new SlotNetwork(abandoned.Installation, dns.Value, []), time).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                // What others left must not keep this one from starting; the next start tries again.
                options.Tell?.Invoke($"What is left of installation {abandoned.Installation} cannot be cleared away yet: {e.Message}");
            }
        }

        var leases = new SlotLeases(folders);
        var factory = new SlotFactory(leases, network);
        await Sweep.UnusedSlotsAsync(folders, leases, factory).ConfigureAwait(false);
        var volume = await DiskVolume.OpenAsync(folders, options.ReservedDiskBytes, time).ConfigureAwait(false);
        if (!volume.Succeeded)
        {
            return volume.Failure;
        }

        var views = await MachineViews.OpenAsync(folders, () => Running(folders), time).ConfigureAwait(false);
        return views.Succeeded ? new ContainerHost(options, folders, volume.Value, leases, factory, network, views.Value, time) : views.Failure;
    }

    private static IEnumerable<Fd> Running(Folders folders) => Directory.EnumerateDirectories(folders.Machines)
        .Select(path => InitProcess.Open(new MachineFolder(path), new Cgroup(folders.CgroupOf(Path.GetFileName(path)))))
        .OfType<Fd>();

    public async Task<Outcome<IMachine>> LaunchAsync(MachineSpec spec, MachineSource source, CancellationToken cancellationToken)
    {
        var undo = new UndoStack();
        try
        {
            var launched = await LaunchAsync(spec, source, undo, cancellationToken).ConfigureAwait(false);
            if (launched.Succeeded)
            {
                undo.Keep();
                return launched;
            }

            return await UndoneAsync(undo, launched.Failure).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            return await UndoneAsync(undo, HostFailure.Of(e)).ConfigureAwait(false);
        }
        catch
        {
            await undo.UnwindAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task<IReadOnlyList<IMachine>> RecoverAsync(
        IReadOnlySet<string> knownIds, IReadOnlySet<string> knownSnapshots, CancellationToken cancellationToken)
        => _sweep.RunAsync(knownIds, knownSnapshots, Adopt);

    public Task<Outcome<bool>> DeleteDiskAsync(string machineId, CancellationToken cancellationToken) => Try(() => _disks.Delete(machineId));

    public Task<Outcome<DiskCopy>> CloneDiskAsync(string machineId, string newMachineId, CancellationToken cancellationToken)
        => CopyAsync(_disks.Find(machineId), machineId, (info, fill) => _disks.CreateFilled(newMachineId, info, fill), cancellationToken);

    public Task<Outcome<DiskCopy>> TakeSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken)
        => CopyAsync(_disks.Find(machineId), machineId, (info, fill) => _disks.CreateSnapshot(snapshotId, info, fill), cancellationToken);

    public Task<Outcome<DiskCopy>> DiskFromSnapshotAsync(string snapshotId, string newMachineId, CancellationToken cancellationToken)
        => CopyAsync(_disks.FindSnapshot(snapshotId), null, (info, fill) => _disks.CreateFilled(newMachineId, info, fill), cancellationToken);

    public async Task<Outcome<bool>> RestoreSnapshotAsync(string machineId, string snapshotId, CancellationToken cancellationToken)
    {
        if (_disks.FindSnapshot(snapshotId) is not { } snapshot)
        {
            return NoDisk($"Snapshot {snapshotId}");
        }

        return await _volume.MakeRoomAsync(0).ConfigureAwait(false) is { } full ? full : await Try(() =>
        {
            _disks.Restore(machineId, snapshot);
            return true;
        }).ConfigureAwait(false);
    }

    public Task<Outcome<bool>> DeleteSnapshotAsync(string snapshotId, CancellationToken cancellationToken) => Try(() => _disks.DeleteSnapshot(snapshotId));

    /// <summary>Machines go on; the spare slots go, and the installation's rules with them when no machine needs them.</summary>
    public async ValueTask DisposeAsync()
    {
        await _slots.DisposeAsync().ConfigureAwait(false);
        var idle = !Directory.EnumerateFileSystemEntries(_folders.Machines).Any();
        await _volume.CloseAsync(idle).ConfigureAwait(false);
        await _volume.DisposeAsync().ConfigureAwait(false);
        if (_views is not null)
        {
            await (idle ? _views.EndAsync() : _views.DisposeAsync().AsTask()).ConfigureAwait(false);
        }

        if (idle)
        {
            await _network.RemoveInstallationAsync().ConfigureAwait(false);
            new Cgroup($"/carrel/{_folders.Installation}").RemoveIfEmpty();
            _folders.RemoveRuntime();
        }
    }

    private async Task<Outcome<DiskCopy>> CopyAsync(
        Disk? source, string? machineId, Func<DiskInfo, Action<string>, Disk> make, CancellationToken cancellationToken)
    {
        if (source is null)
        {
            return NoDisk(machineId is null ? "The snapshot" : $"Machine {machineId}");
        }

        var folder = machineId is null ? null : _folders.Machine(machineId);
        var mountPoint = folder is not null && Mounts.Below(folder.Path).Contains(folder.Disk) ? folder.Disk : null;
        return await _copier.CopyAsync(source, mountPoint, make, cancellationToken).ConfigureAwait(false);
    }

    private static Failure NoDisk(string what) => new(ErrorCodes.NotClonable, $"{what} has no disk on this host.");

    private static async Task<Outcome<bool>> Try(Func<bool> change)
    {
        try
        {
            return await Task.Run(change).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            return HostFailure.Of(e);
        }
    }

    private async Task<Outcome<IMachine>> LaunchAsync(MachineSpec spec, MachineSource source, UndoStack undo, CancellationToken cancellationToken)
    {
        var taken = await _slots.TakeAsync(cancellationToken).ConfigureAwait(false);
        if (!taken.Succeeded)
        {
            return taken.Failure;
        }

        var slot = taken.Value;
        undo.Push("slot", () => _teardown.ReleaseSlotAsync(slot));
        var folder = _folders.Machine(spec.Id);
        folder.Create(slot.RootUid);
        undo.Push("state folder", () => Directory.Delete(folder.Path, recursive: true));
        var state = new MachineState(spec.Id, slot.Number, null, spec.Limits.BandwidthMbps ?? 0);
        state.Save(folder);
        if (state.BandwidthMbps > 0 && await Bandwidth.SetAsync(slot, state.BandwidthMbps).ConfigureAwait(false) is { } unlimited)
        {
            return unlimited;
        }


        var disk = await FindOrCreateDiskAsync(spec, source, undo).ConfigureAwait(false);
        if (!disk.Succeeded)
        {
            return disk.Failure;
        }

        var image = _images.Open(disk.Value.Info.Image);
        if (!image.Succeeded)
        {
            return image.Failure;
        }

        state = state with { LoopDevice = RootFileSystem.Mount(folder, image.Value, disk.Value, slot, undo, _time) };
        state.Save(folder);
        if (spec.Limits.DiskBytes > disk.Value.Info.SizeBytes)
        {
            DiskStore.Grow(disk.Value, spec.Limits.DiskBytes.Value, state.LoopDevice, folder.Disk);
        }

        using var deskd = ListeningSocket.Create(folder.Socket(MachineService.Deskd));
        using var vnc = ListeningSocket.Create(folder.Socket(MachineService.Vnc));
        var cgroup = Cgroup(spec.Id);
        await File.WriteAllTextAsync(
            Path.Combine(folder.Bundle, "config.json"),
            _spec.Write(spec, slot, folder, cgroup.Path).ToJsonString(),
            CancellationToken.None).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (_views is not null)
        {
            await _views.Ready.ConfigureAwait(false);
        }

        var generation = _views?.Generation;
        undo.Push("container", () => _teardown.KillAsync(spec.Id));
        if (await RuncAsync(spec.Id, folder, deskd, vnc).ConfigureAwait(false) is { } failure)
        {
            return failure;
        }

        if (generation != _views?.Generation)
        {
            using var init = InitProcess.Open(folder, cgroup);
            if (init is not null)
            {
                _views!.Attach(init);
            }
        }

        return Adopt(spec.Id) ?? (Outcome<IMachine>)new Failure(
            ErrorCodes.LaunchFailed, $"Machine {spec.Id} ended while it was launched.", "Look at the image's /sbin/carrel-init.");
    }

    private static async Task<Failure> UndoneAsync(UndoStack undo, Failure failure)
    {
        var left = await undo.UnwindAsync().ConfigureAwait(false);
        return left.Count == 0 ? failure
            : failure with { Message = $"{failure.Message} What could not be given back stays until the next start of the server: {string.Join("; ", left)}." };
    }

    private async Task<Outcome<Disk>> FindOrCreateDiskAsync(MachineSpec spec, MachineSource source, UndoStack undo)
    {
        if (_disks.Find(spec.Id) is { } existing)
        {
            return existing;
        }

        var image = _images.Current(((MachineSource.Image)source).Name);
        if (!image.Succeeded)
        {
            return image.Failure;
        }

        var created = await _disks.CreateAsync(spec.Id, image.Value.Digest, spec.Limits.DiskBytes!.Value).ConfigureAwait(false);
        if (created.Succeeded)
        {
            undo.Push("new disk", () => _disks.Delete(spec.Id));
        }

        return created;
    }

    private async Task<Failure?> RuncAsync(string id, MachineFolder folder, Fd deskd, Fd vnc)
    {
        var log = Path.Combine(folder.Path, "runc.log");
        var code = await ProcessRunner.RunSilentAsync(
            [
                "runc", "--root", _folders.Runc, "--log", log, "--log-format", "json",
                "run", "--detach", "--bundle", folder.Bundle, "--pid-file", folder.PidFile, "--preserve-fds", "2", id,
            ],
            deskd,
            vnc).ConfigureAwait(false);
        return code == 0 ? null : new Failure(
            ErrorCodes.LaunchFailed, $"runc could not start machine {id} ({code}): {LastMessage(log)}", "Run `carrel doctor` on the host.");
    }

    private static string LastMessage(string log)
        => File.Exists(log) && File.ReadLines(log).LastOrDefault() is { } line
            ? JsonNode.Parse(line)?["msg"]?.GetValue<string>() ?? line
            : "it said nothing";

    /// <summary>A machine object for a machine that runs; null when it does not.</summary>
    private ContainerMachine? Adopt(string id)
    {
        var folder = _folders.Machine(id);
        var cgroup = Cgroup(id);
        return InitProcess.Find(folder, cgroup) is { } init && MachineState.Load(folder) is { } state && _disks.Find(id) is { } disk
            ? new ContainerMachine(id, folder, state, _leases.SlotOf(state.Slot), disk, cgroup, init, _teardown, _disks, _time)
            : null;
    }

    private Cgroup Cgroup(string id) => new(_folders.CgroupOf(id));
}
