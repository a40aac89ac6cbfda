using System.Runtime.InteropServices;
using System.Text;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>What to start. Descriptors are given to the child as 0, 1, 2 and from <see cref="FirstExtraFd"/> on.</summary>
internal sealed record ChildSpec(
    string Program, string[] Arguments, string[] Environment, string WorkingFolder, int Output, int? Errors, int[] Extra)
{
    public const int FirstExtraFd = 3;

    /// <summary>A terminal that the child gets as 0, 1 and 2 and as the one that controls it, instead of all those.</summary>
    public string? Terminal { get; private init; }

    public static ChildSpec OnTerminal(string program, string[] arguments, string[] environment, string workingFolder, string terminal) =>
        new(program, arguments, environment, workingFolder, -1, null, []) { Terminal = terminal };
}

/// <summary>
/// Starts processes, the only place that does: <c>posix_spawn</c>, which does not copy this process's memory maps as fork
/// would, each child in a session of its own with default signals, and first in line when memory runs out.
/// </summary>
internal static unsafe class ChildProcess
{
    private const short POSIX_SPAWN_SETSIGDEF = 4;
    private const short POSIX_SPAWN_SETSIGMASK = 8;
    private const short POSIX_SPAWN_SETSID = 0x80;
    private const int HighFd = 64;

    /// <summary>Starts a child whose standard input is empty or its terminal; returns its process id, which is its session's and group's too.</summary>
    public static int Start(ChildSpec spec) => OutOfMemory.Offering(() => Spawned(spec));

    /// <summary>Waits for a child's end; its exit code, or 128 and the signal's number when a signal ended it.</summary>
    public static int Reap(int pid)
    {
        int status;
        while (Libc.waitpid(pid, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.EINTR)
            {
                throw Errno.Failed($"waiting for process {pid}");
            }
        }

        var signal = status & 0x7f;
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    }

    private static int Spawned(ChildSpec spec)
    {
        // glibc on x86-64 needs 80, 336 and 128 bytes for these.
        var actions = stackalloc byte[128];
        var attributes = stackalloc byte[512];
        var signals = stackalloc byte[128];
        Must(Spawn.posix_spawn_file_actions_init(actions));
        Must(Spawn.posix_spawnattr_init(attributes));
        // Out of the way of the numbers that they are to have, which else might overwrite one another.
        var extra = Array.ConvertAll(spec.Extra, fd => Descriptor.Of(Libc.fcntl(fd, Libc.F_DUPFD_CLOEXEC, HighFd), "a descriptor for a child"));
        using var arguments = new CStrings([spec.Program, .. spec.Arguments]);
        using var environment = new CStrings(spec.Environment);
        try
        {
            AddStandard(actions, spec);

            for (var i = 0; i < spec.Extra.Length; i++)
            {
                Must(Spawn.posix_spawn_file_actions_adddup2(actions, extra[i].Fd, ChildSpec.FirstExtraFd + i));
            }

            // Whatever deskd was given, such as its listening socket, is no business of a child's.
            Must(Spawn.posix_spawn_file_actions_addclosefrom_np(actions, ChildSpec.FirstExtraFd + spec.Extra.Length));

            Must(Spawn.posix_spawn_file_actions_addchdir_np(actions, spec.WorkingFolder));

            // .NET ignores SIGPIPE and blocks none; a child wants the defaults, or "yes | head" would never end.
            Must(Spawn.sigfillset(signals));
            Must(Spawn.posix_spawnattr_setsigdefault(attributes, signals));
            Must(Spawn.sigemptyset(signals));
            Must(Spawn.posix_spawnattr_setsigmask(attributes, signals));
            Must(Spawn.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID));

            int pid;
            var error = Spawn.posix_spawn(&pid, spec.Program, actions, attributes, arguments.Pointer, environment.Pointer);
            if (error != 0)
            {
                throw new IOException($"starting {spec.Program} in {spec.WorkingFolder}: {Marshal.GetPInvokeErrorMessage(error)}");
            }

            return pid;
        }
        finally
        {
            _ = Spawn.posix_spawn_file_actions_destroy(actions);
            _ = Spawn.posix_spawnattr_destroy(attributes);
            Array.ForEach(extra, fd => fd.Dispose());
        }
    }

    private static void AddStandard(byte* actions, ChildSpec spec)
    {
        if (spec.Terminal is { } terminal)
        {
            // The first terminal that the leader of a new session opens is the session's; the session is made before.
            Must(Spawn.posix_spawn_file_actions_addopen(actions, 0, terminal, Tty.O_RDWR, 0));
            Must(Spawn.posix_spawn_file_actions_adddup2(actions, 0, 1));
            Must(Spawn.posix_spawn_file_actions_adddup2(actions, 0, 2));
            return;
        }

        Must(Spawn.posix_spawn_file_actions_addopen(actions, 0, "/dev/null", Libc.O_RDONLY, 0));
        Must(Spawn.posix_spawn_file_actions_adddup2(actions, spec.Output, 1));
        if (spec.Errors is { } errors)
        {
            Must(Spawn.posix_spawn_file_actions_adddup2(actions, errors, 2));
        }
        else
        {
            Must(Spawn.posix_spawn_file_actions_addopen(actions, 2, "/dev/null", Libc.O_WRONLY, 0));
        }
    }

    private static void Must(int error)
    {
        if (error != 0)
        {
            throw new IOException($"preparing to start a process: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>An array of C strings, ended by a null.</summary>
    private sealed class CStrings : IDisposable
    {
        private readonly int _count;

        public CStrings(string[] strings)
        {
            _count = strings.Length;
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < _count; i++)
            {
                var length = Encoding.UTF8.GetByteCount(strings[i]);
                Pointer[i] = (byte*)NativeMemory.Alloc((nuint)length + 1);
                Encoding.UTF8.GetBytes(strings[i], new Span<byte>(Pointer[i], length));
                Pointer[i][length] = 0;
            }
        }

        public byte** Pointer { get; }

        public void Dispose()
        {
            for (var i = 0; i < _count; i++)
            {
                NativeMemory.Free(Pointer[i]);
            }

            NativeMemory.Free(Pointer);
        }
    }
}
