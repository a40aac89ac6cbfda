using Carrel.Contracts.Actions;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>How a command ended.</summary>
/// <param name="Output">What it wrote, at most <see cref="ActionLimits.OutputBytes"/>.</param>
/// <param name="ExitCode">Its exit code; 128 and the signal's number when a signal ended it.</param>
internal sealed record CommandOutcome(ReadOnlyMemory<byte> Output, bool Truncated, int ExitCode, bool TimedOut);

/// <summary>
/// Runs one command to its end on a thread of its own, which sleeps in <c>poll</c> on the output pipe, the process and
/// the wish to stop. Ends when the command does, not when the last holder of its output does: a server that was started
/// in the background keeps the pipe open for ever.
/// </summary>
internal sealed class CommandRun : IDisposable
{
    private const int TimedOutExitCode = 124;
    private readonly Descriptor _output;
    private readonly Descriptor _stop;
    private readonly OutputBuffer _kept = new(ActionLimits.OutputBytes);
    private readonly TaskCompletionSource<CommandOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _pid;
    private readonly Descriptor _process;
    private readonly long _deadline;

    private unsafe CommandRun(Func<int, int> start, TimeSpan timeout)
    {
        var ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
        {
            throw Errno.Failed("a pipe");
        }

        _output = new Descriptor(ends[0]);
        using var input = new Descriptor(ends[1]);
        _ = Libc.fcntl(_output.Fd, Libc.F_SETFL, Libc.O_NONBLOCK);
        _stop = Descriptor.Of(Libc.eventfd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK), "an eventfd");
        _pid = start(input.Fd);
        _process = Descriptor.Of(Libc.pidfd_open(_pid, 0), "a pidfd");
        _deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
    }

    /// <summary>Starts a command by <paramref name="start"/>, which gets the descriptor for its output and returns its process id.</summary>
    public static async Task<CommandOutcome> RunAsync(Func<int, int> start, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var run = new CommandRun(start, timeout);
        using var cancelled = cancellationToken.UnsafeRegister(static state => ((CommandRun)state!).Stop(), run);
        new Thread(run.Follow, maxStackSize: 128 * 1024) { IsBackground = true, Name = "command" }.Start();
        var outcome = await run._done.Task;
        cancellationToken.ThrowIfCancellationRequested();
        return outcome;
    }

    public void Dispose()
    {
        _output.Dispose();
        _stop.Dispose();
        _process.Dispose();
    }

    private unsafe void Stop()
    {
        ulong one = 1;
        _ = Libc.write(_stop.Fd, (byte*)&one, sizeof(ulong));
    }

    private void Follow()
    {
        try
        {
            var ended = PollUntilEnd();
            if (!ended)
            {
                ProcessSession.Kill(_pid);
            }

            var exitCode = ChildProcess.Reap(_pid);
            _kept.Fill(_output);
            _done.SetResult(new CommandOutcome(_kept.Written, _kept.Truncated, ended ? exitCode : TimedOutExitCode, !ended));
        }
        catch (Exception e)
        {
            _done.SetException(e);
        }
    }

    /// <summary>True when the command ended, false when it is to be ended.</summary>
    private unsafe bool PollUntilEnd()
    {
        var entries = stackalloc Libc.PollFd[3];
        entries[0] = new Libc.PollFd { Fd = _process.Fd, Events = Libc.POLLIN };
        entries[1] = new Libc.PollFd { Fd = _stop.Fd, Events = Libc.POLLIN };
        entries[2] = new Libc.PollFd { Fd = _output.Fd, Events = Libc.POLLIN };
        while (true)
        {
            var left = Math.Max(0, _deadline - Environment.TickCount64);
            var ready = Libc.poll(entries, 3, (int)Math.Min(left, int.MaxValue));
            if (ready == 0 || entries[1].Returned != 0)
            {
                return false;
            }

            if (ready > 0 && entries[0].Returned != 0)
            {
                return true;
            }

            if (ready > 0 && entries[2].Returned != 0 && !_kept.Fill(_output))
            {
                // Nobody holds the pipe any more; a negative descriptor is one that poll skips.
                entries[2].Fd = -1;
            }
        }
    }
}
