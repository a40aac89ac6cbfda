using System.Globalization;
using Carrel.Machines.Cgroups;
using Carrel.Machines.Native;
using Carrel.Machines.Processes;

namespace Carrel.Machines.Container;

/// <summary>The first process of a machine, held by a pidfd, so that a signal can never hit a successor of its pid.</summary>
internal sealed class InitProcess
{
    private readonly Fd _pidfd;

    private InitProcess(Fd pidfd)
    {
        _pidfd = pidfd;
        Ended = PidfdWatcher.Shared.EndOf(pidfd);
    }

    /// <summary>Completes when it has ended, and with it every process of the machine.</summary>
    internal Task Ended { get; }

    /// <summary>
    /// Finds it by runc's pid file. That the process is in the machine's cgroup proves it is the one and no later owner of
    /// the pid, also after a restart of the server or the host.
    /// </summary>
    internal static InitProcess? Find(MachineFolder folder, Cgroup cgroup)
        => Open(folder, cgroup) is { } pidfd ? new InitProcess(pidfd) : null;

    /// <summary>A pidfd of the machine's first process, for the caller to close; null where it does not run.</summary>
    internal static Fd? Open(MachineFolder folder, Cgroup cgroup)
    {
        if (!File.Exists(folder.PidFile)
            || !int.TryParse(File.ReadAllText(folder.PidFile), CultureInfo.InvariantCulture, out var pid))
        {
            return null;
        }

        var pidfd = Libc.PidfdOpen(pid);
        if (pidfd < 0)
        {
            return null;
        }

        // The pidfd first: afterwards the pid, if it is a member, cannot have been reused in between.
        var handle = new Fd(pidfd);
        if (cgroup.Members().Contains(pid))
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    internal void Signal(int signal) => _ = Libc.PidfdSendSignal(_pidfd.Value, signal);
}
