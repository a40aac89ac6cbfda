using System.Net.Sockets;
using Carrel.Contracts;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Disks;
using Carrel.Machines.Native;
using Carrel.Machines.Networks;

namespace Carrel.Machines.Container;

internal sealed class ContainerMachine : IMachine
{
    private const int Terminate = 15;
    private const int Kill = 9;

    private readonly MachineFolder _folder;
    private readonly MachineState _state;
    private readonly Disk _disk;
    private readonly Cgroup _cgroup;
    private readonly InitProcess _init;
    private readonly Teardown _teardown;
    private readonly DiskStore _disks;
    private readonly TimeProvider _time;

    internal ContainerMachine(
        string id, MachineFolder folder, MachineState state, Disk disk, Cgroup cgroup, InitProcess init, Teardown teardown, DiskStore disks, TimeProvider time)
    {
        (Id, _folder, _state, _disk, _cgroup, _init) = (id, folder, state, disk, cgroup, init);
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

    public Task<Outcome<bool>> PauseAsync(CancellationToken cancellationToken) => Try(() => _cgroup.Freeze(true));

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

    public Task<Outcome<bool>> ResizeAsync(MachineLimits limits, CancellationToken cancellationToken) => Try(() =>
    {
        if (limits.Cpus is { } cpus)
        {
            _cgroup.SetCpus(cpus);
        }

        if (limits.MemoryBytes is { } memory)
        {
            _cgroup.SetMemory(memory);
        }

        if (limits.Processes is { } processes)
        {
            _cgroup.SetProcesses(processes);
        }

        if (limits.DiskBytes is { } disk)
        {
            _disks.Grow(_disk, disk, _state.LoopDevice!, _folder.Disk);
        }
    });

    public ValueTask<MachineStats> ReadStatsAsync(CancellationToken cancellationToken)
    {
        var (received, sent) = SlotNetwork.Traffic(_state.Slot);
        return ValueTask.FromResult(
            new MachineStats(_cgroup.CpuTime(), _cgroup.MemoryBytes(), _cgroup.Processes(), DiskStore.UsedBytes(_disk), received, sent));
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
