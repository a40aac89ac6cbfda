using System.Runtime.InteropServices;
using Carrel.Machines.Native;

namespace Carrel.Machines.Processes;

/// <summary>A started child of ours, to be reaped exactly once.</summary>
internal sealed unsafe class ChildProcess : IDisposable
{
    private ChildProcess(int pid)
    {
        Pid = pid;
        Pidfd = new Fd(Errno.Check(Libc.PidfdOpen(pid), $"watch process {pid}"));
    }

    internal int Pid { get; }

    internal Fd Pidfd { get; }

    internal void Kill() => _ = Libc.PidfdSendSignal(Pidfd.Value, 9);

    /// <summary>Waits for the end, which must be near, and returns the exit code (128 + signal where one killed it).</summary>
    internal int Reap()
    {
        const int Pid = 1, Exited = 4, ExitedNormally = 1;
        var info = stackalloc byte[128];
        Errno.Check(Libc.WaitId(Pid, (uint)this.Pid, info, Exited), $"wait for process {this.Pid}");
        var (code, status) = (*(int*)(info + 8), *(int*)(info + 24));
        return code == ExitedNormally ? status : 128 + status;
    }

    public void Dispose() => Pidfd.Dispose();

    /// <summary>Starts a command; <paramref name="descriptors"/> become its 0, 1, 2, ...</summary>
    internal static ChildProcess Start(IReadOnlyList<string> arguments, IReadOnlyList<SafeHandle> descriptors)
    {
        var actions = stackalloc byte[80];
        var attributes = stackalloc byte[336];
        var signals = stackalloc byte[128];
        Libc.SpawnActionsInit(actions);
        Libc.SpawnAttributesInit(attributes);
        // The runtime blocks and handles signals; a child starts with none blocked and all at their default.
        Libc.SignalEmptySet(signals);
        Libc.SpawnAttributesSetSignalMask(attributes, signals);
        Libc.SignalFillSet(signals);
        Libc.SpawnAttributesSetSignalDefault(attributes, signals);
        const short SetSignalDefault = 0x04, SetSignalMask = 0x08;
        Libc.SpawnAttributesSetFlags(attributes, SetSignalDefault | SetSignalMask);
        using var lifted = Lift(descriptors, actions);
        using var argv = new CStrings(arguments);
        using var envp = new CStrings([.. Variables()]);
        var error = Libc.SpawnPath(out var pid, arguments[0], actions, attributes, argv.Pointer, envp.Pointer);
        Libc.SpawnActionsDestroy(actions);
        Libc.SpawnAttributesDestroy(attributes);
        return error == 0 ? new ChildProcess(pid) : throw new NativeException($"start {arguments[0]}", error);
    }

    // Source descriptors may collide with target numbers (a source 4 overwritten by target 4 first). Copies far above are safe.
    private static Lifted Lift(IReadOnlyList<SafeHandle> descriptors, byte* actions)
    {
        var lifted = new Lifted();
        for (var i = 0; i < descriptors.Count; i++)
        {
            Errno.Check(-Libc.SpawnActionsAddDup2(actions, lifted.Add(descriptors[i]), i), "hand a descriptor down");
        }

        // Whatever else this process has open, by whatever library, is none of the child's business: it may be a machine.
        Errno.Check(-Libc.SpawnActionsAddCloseFrom(actions, descriptors.Count), "close the other descriptors");
        return lifted;
    }

    private static IEnumerable<string> Variables()
    {
        yield return "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        yield return "LC_ALL=C.UTF-8";
        yield return "HOME=/root";
    }

    private sealed class Lifted : IDisposable
    {
        private readonly List<Fd> _copies = [];

        internal int Add(SafeHandle handle)
        {
            var copy = new Fd(Errno.Check(Libc.DuplicateAbove((int)handle.DangerousGetHandle(), 256), "duplicate a descriptor"));
            _copies.Add(copy);
            return copy.Value;
        }

        public void Dispose() => _copies.ForEach(copy => copy.Dispose());
    }
}
