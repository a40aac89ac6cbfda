using System.Net.Sockets;
using Carrel.Contracts;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Disks;
using Carrel.Machines.Native;
using Carrel.Machines.Networks;
using Carrel.Machines.Slots;

namespace Carrel.Machines.Container;

internal sealed class ContainerMachine : IMachine
{
    private const int Terminate = 15;
    private const int Kill = 9;
    private static readonly TimeSpan FreezePatience = TimeSpan.FromSeconds(10);

    private readonly MachineFolder _folder;
    private readonly Slot _slot;
    private readonly Disk _disk;
    private readonly Cgroup _cgroup;
    private readonly InitProcess _init;
    private readonly Teardown _teardown;
    private readonly DiskStore _disks;
    private readonly TimeProvider _time;
    private MachineState _state;

    internal ContainerMachine(
        string id, MachineFolder folder, MachineState state, Slot slot, Disk disk, Cgroup cgroup, InitProcess init, Teardown teardown, DiskStore disks, TimeProvider time)
    {
        (Id, _folder, _state, _slot, _disk, _cgroup, _init) = (id, folder, state, slot, disk, cgroup, init);
        (_teardown, _disks, _time) = (teardown, disks, time);
        Completion = CompleteAsync();
    }

    public string Id { get; }

    public Task<MachineExit> Completion { get; }

    public async ValueTask<Stream> ConnectAsync(MachineService service, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder.Socket(service)), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task<Outcome<bool>> PauseAsync(CancellationToken cancellationToken)
    {
        var begun = await Try(() => _cgroup.Freeze(true)).ConfigureAwait(false);
        return begun.Succeeded ? await FrozenAsync(cancellationToken).ConfigureAwait(false) : begun;
    }

    public Task<Outcome<bool>> ResumeAsync(CancellationToken cancellationToken) => Try(() => _cgroup.Freeze(false));

    public async Task<Outcome<bool>> StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        await EndAsync(grace).ConfigureAwait(false);
        return await _teardown.ReleaseAsync(Id, keepData: true).ConfigureAwait(false);
    }

    public async Task<Outcome<bool>> DestroyAsync(CancellationToken cancellationToken)
    {
        await EndAsync(TimeSpan.Zero).ConfigureAwait(false);
        var released = await _teardown.ReleaseAsync(Id, keepData: false).ConfigureAwait(false);
        if (released.Succeeded)
        {
            _disks.Delete(Id);
        }

        return released;
    }

    public async Task<Outcome<bool>> ResizeAsync(MachineLimits limits, CancellationToken cancellationToken)
    {
        var changed = await Try(() => SetLimits(limits)).ConfigureAwait(false);
        return changed.Succeeded && limits.BandwidthMbps is { } mbps && await SetBandwidthAsync(mbps).ConfigureAwait(false) is { } failure ? failure : changed;
    }

    /// <summary>Finishes what the end of a server cut off.</summary>
    internal Task<Failure?> SettleAsync() => _state.BandwidthPending ? SetBandwidthAsync(_state.BandwidthMbps) : Task.FromResult<Failure?>(null);

    private async Task<Failure?> SetBandwidthAsync(int mbps)
    {
        var before = _state;
        _state = before with { BandwidthMbps = mbps, BandwidthPending = true };
        _state.Save(_folder);
        var failure = await Bandwidth.SetAsync(_slot, mbps).ConfigureAwait(false);
        _state = failure is null ? before with { BandwidthMbps = mbps, BandwidthPending = false } : before;
        _state.Save(_folder);
        return failure;
    }

    private void SetLimits(MachineLimits limits)
    {
        if (limits.Cpus is { } cpus)
        {
            _cgroup.SetCpus(cpus);
            CpuPlacement.Place(_cgroup, cpus);
        }

        if (limits.MemoryBytes is { } memory)
        {
            SetMemory(memory);
        }

        if (limits.Processes is { } processes)
        {
            _cgroup.SetProcesses(processes);
        }

        if (limits.DiskBytes is { } disk)
        {
            DiskStore.Grow(_disk, disk, _state.LoopDevice!, _folder.Disk);
        }
    }

    public ValueTask<MachineStats> ReadStatsAsync(CancellationToken cancellationToken)
    {
        var (received, sent) = SlotNetwork.TrafficOf(_state.Slot);
        var disk = new DriveInfo(_folder.Disk);
        return ValueTask.FromResult(new MachineStats(_cgroup.CpuTime(), _cgroup.MemoryBytes(), _cgroup.Processes(), _disk.UsedBytes)
        {
            MemoryInUseBytes = _cgroup.MemoryInUse(),
            ThrottledTime = _cgroup.ThrottledTime(),
            ReceivedBytes = received,
            SentBytes = sent,
            FileSystemUsedBytes = disk.TotalSize - disk.TotalFreeSpace,
            FileSystemBytes = disk.TotalSize,
        });
    }

    public MachineLimits ReadLimits()
        => new(_cgroup.Cpus(), _cgroup.MemoryLimit(), _disks.Find(Id)?.Info.SizeBytes, null, _state.BandwidthMbps);

    // A limit below what is in use would have the kernel kill inside: that is refused instead.
    private void SetMemory(long bytes)
    {
        var (inUse, total) = (_cgroup.MemoryInUse(), HostMemory.TotalBytes());
        if (inUse >= bytes)
        {
            throw new IOException($"{inUse >> 20} MiB are in use, which is not below {bytes >> 20} MiB");
        }

        if (bytes > total && bytes > _cgroup.MemoryLimit())
        {
            throw new IOException($"the host has {total >> 20} MiB");
        }

        _cgroup.SetMemory(bytes);
    }

    private async Task<MachineExit> CompleteAsync()
    {
        await _init.Ended.ConfigureAwait(false);
        try
        {
            return new MachineExit(null, _cgroup.OutOfMemory());
        }
        catch (IOException)
        {
            // A stop on its way removed the cgroup between the look for it and the look into it.
            return new MachineExit(null, OutOfMemory: false);
        }
    }

    // A process stands still when it next leaves the kernel, which may take it a moment; version 1 announces it to nobody.
    private async Task<Outcome<bool>> FrozenAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        for (var wait = 1; !_cgroup.IsFrozen(); wait = Math.Min(wait * 2, 50))
        {
            if (_time.GetElapsedTime(started) > FreezePatience)
            {
                _cgroup.ThawIfFrozen();
                return new Failure(ErrorCodes.Internal, $"Machine {Id} could not be held still within {FreezePatience.TotalSeconds:F0} s.", "Try again in a moment.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(wait), _time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private async Task EndAsync(TimeSpan grace)
    {
        _cgroup.ThawIfFrozen();
        if (grace > TimeSpan.Zero)
        {
            _init.Signal(Terminate);
            await Task.WhenAny(_init.Ended, Task.Delay(grace, _time)).ConfigureAwait(false);
        }

        _init.Signal(Kill);
        await _init.Ended.ConfigureAwait(false);
    }

    private Task<Outcome<bool>> Try(Action change)
    {
        try
        {
            change();
            return Task.FromResult<Outcome<bool>>(true);
        }
        catch (NativeException e)
        {
            return Task.FromResult<Outcome<bool>>(HostFailure.Of(e));
        }
        catch (IOException e)
        {
            return Task.FromResult<Outcome<bool>>(new Failure(ErrorCodes.NotSupported, $"Machine {Id} refused the change: {e.Message}"));
        }
    }
}
