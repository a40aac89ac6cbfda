using System.Runtime.InteropServices;
using Carrel.Deskd.Native;
using Carrel.Deskd.Shell;

namespace Carrel.Deskd.Streaming;

/// <summary>How an ffmpeg ended.</summary>
/// <param name="Signal">The signal that ended it, or 0.</param>
/// <param name="WasStopped">It ended because we asked it to.</param>
/// <param name="LastWords">The last things it complained of, secrets taken out; empty where it complained of nothing.</param>
internal sealed record FfmpegEnd(int ExitCode, int Signal, bool WasStopped, string LastWords)
{
    /// <summary>ffmpeg's exit code when it was asked to end by a signal that it handles.</summary>
    private const int EndedBySignal = 255;

    /// <summary>Somebody else ended it; that is no broken connection, and nothing to try again for.</summary>
    public bool WasKilled => !WasStopped && (Signal != 0 || ExitCode == EndedBySignal);

    public string Describe() => (WasKilled, Signal) switch
    {
        (true, Libc.SIGKILL) => $"ffmpeg was killed (signal 9), by somebody inside or for want of memory{Colon(LastWords)}",
        (true, > 0) => $"ffmpeg was ended by signal {Signal}{Colon(LastWords)}",
        (true, _) => "somebody inside told ffmpeg to end",
        _ => LastWords.Length > 0 ? LastWords : $"ffmpeg ended with exit code {ExitCode}",
    };

    private static string Colon(string words) => words.Length > 0 ? $": {words}" : "";
}

/// <summary>
/// One ffmpeg from its start to its end, on a thread of its own that sleeps in <c>poll</c> on what ffmpeg reports, what it
/// complains of, its end and the wish to stop it. The thread lives as long as ffmpeg does, because ffmpeg is bound to it
/// (<c>PR_SET_PDEATHSIG</c>): when deskd dies, its ffmpegs do.
/// </summary>
internal sealed class FfmpegProcess : IDisposable
{
    /// <summary>The descriptor where ffmpeg finds its secret options.</summary>
    public const string SecretOptionsPath = "/dev/fd/3";

    private const int SIGINT = 2;

    // Asked to end, ffmpeg writes what it holds. Hanging in the network it heeds the second signal, and needs at most the third.
    private static readonly (int AfterMilliseconds, int Signal)[] Endings = [(0, SIGINT), (2500, SIGINT), (8000, Libc.SIGKILL)];

    private readonly Descriptor _stop = Descriptor.Of(Libc.eventfd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK), "an eventfd");
    private readonly Lock _stopGate = new();
    private readonly TaskCompletionSource _spawned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<FfmpegEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FfmpegLog _log;
    private readonly FfmpegProgress _progress = new();
    private bool _over;

    private FfmpegProcess(string? secret) => _log = new FfmpegLog(secret);

    public int Pid { get; private set; }

    /// <summary>Completes when the first pictures have gone out. Never fails: look at <see cref="Ended"/> too.</summary>
    public Task Begun => _begun.Task;

    public Task<FfmpegEnd> Ended => _ended.Task;

    /// <summary>The moment that is 0 in what it writes, once it has begun.</summary>
    public DateTimeOffset? Zero => _log.Zero;

    /// <summary>How much it has written, as of its last report.</summary>
    public TimeSpan Written => _progress.Written;

    /// <param name="secretOptions"><c>name=value</c> lines that ffmpeg reads from <see cref="SecretOptionsPath"/>.</param>
    /// <param name="secret">Never to appear in what is told of this process.</param>
    /// <exception cref="IOException">It could not be started.</exception>
    public static async Task<FfmpegProcess> StartAsync(int display, string[] arguments, byte[]? secretOptions = null, string? secret = null)
    {
        var process = new FfmpegProcess(secret);
        new Thread(() => process.Run(display, arguments, secretOptions), maxStackSize: 256 * 1024) { IsBackground = true, Name = "ffmpeg" }.Start();
        await process._spawned.Task;
        return process;
    }

    /// <summary>Asks it to end, and soon makes it. <see cref="Ended"/> completes when it has.</summary>
    public unsafe void Stop()
    {
        ulong one = 1;
        lock (_stopGate)
        {
            if (!_over)
            {
                _ = Libc.write(_stop.Fd, (byte*)&one, sizeof(ulong));
            }
        }
    }

    public void Dispose() => Stop();

    private void Run(int display, string[] arguments, byte[]? secretOptions)
    {
        try
        {
            using var reports = new Pipe();
            using var complaints = new Pipe();
            Pid = Spawn(display, arguments, secretOptions, reports, complaints);
            using var process = Descriptor.Of(Libc.pidfd_open(Pid, 0), "a pidfd");
            _spawned.SetResult();
            var stopped = Follow(process, reports.Read, complaints.Read);
            var (exitCode, signal) = ChildExit.Reap(Pid);
            _progress.Fill(reports.Read);
            _log.Fill(complaints.Read);
            Close();
            _ended.SetResult(new FfmpegEnd(exitCode, signal, stopped, _log.LastWords));
        }
        catch (Exception e)
        {
            Close();
            if (!_spawned.TrySetException(e))
            {
                _ended.TrySetException(e);
            }
        }
    }

    private void Close()
    {
        lock (_stopGate)
        {
            _over = true;
            _stop.Dispose();
        }
    }

    private static int Spawn(int display, string[] arguments, byte[]? secretOptions, Pipe reports, Pipe complaints)
    {
        using var secrets = secretOptions is null ? null : Memfd.Create("options", secretOptions);
        // A desktop in use comes before its picture: niceness 5, as its sound server has.
        var pid = ChildProcess.Start(new ChildSpec(
            "/usr/bin/nice",
            ["-n", "5", "setpriv", "--pdeathsig", "KILL", "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info",
                "-stats_period", "0.5", "-progress", "pipe:1", .. arguments],
            ShellEnvironment.Build(display),
            "/",
            reports.Write.Fd,
            complaints.Write.Fd,
            secrets is null ? [] : [secrets.Fd]));
        reports.Write.Dispose();
        complaints.Write.Dispose();
        return pid;
    }

    /// <summary>Until it has ended; whether we ended it.</summary>
    private unsafe bool Follow(Descriptor process, Descriptor reports, Descriptor complaints)
    {
        var entries = stackalloc Libc.PollFd[4];
        entries[0] = new Libc.PollFd { Fd = process.Fd, Events = Libc.POLLIN };
        entries[1] = new Libc.PollFd { Fd = _stop.Fd, Events = Libc.POLLIN };
        entries[2] = new Libc.PollFd { Fd = reports.Fd, Events = Libc.POLLIN };
        entries[3] = new Libc.PollFd { Fd = complaints.Fd, Events = Libc.POLLIN };
        var (stopping, stoppedAt, ending) = (false, 0L, 0);
        while (true)
        {
            var timeout = stopping && ending < Endings.Length
                ? Math.Max(0, Endings[ending].AfterMilliseconds - (Environment.TickCount64 - stoppedAt))
                : Timeout.Infinite;
            var ready = Libc.poll(entries, 4, (int)timeout);
            if (ready > 0 && entries[0].Returned != 0)
            {
                return stopping;
            }

            if (ready > 0 && entries[1].Returned != 0)
            {
                // A negative descriptor is one that poll skips.
                (stopping, stoppedAt, entries[1].Fd) = (true, Environment.TickCount64, -1);
            }

            if (stopping && ending < Endings.Length && Environment.TickCount64 - stoppedAt >= Endings[ending].AfterMilliseconds)
            {
                _ = Libc.kill(Pid, Endings[ending++].Signal);
            }

            if (ready > 0 && entries[2].Returned != 0 && !_progress.Fill(reports))
            {
                entries[2].Fd = -1;
            }

            if (ready > 0 && entries[3].Returned != 0 && !_log.Fill(complaints))
            {
                entries[3].Fd = -1;
            }

            if (_progress.HasBegun)
            {
                _begun.TrySetResult();
            }
        }
    }
}

/// <summary>A pipe whose reading end does not block.</summary>
internal sealed unsafe class Pipe : IDisposable
{
    public Pipe()
    {
        var ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
        {
            throw Errno.Failed("a pipe");
        }

        (Read, Write) = (new Descriptor(ends[0]), new Descriptor(ends[1]));
        _ = Libc.fcntl(Read.Fd, Libc.F_SETFL, Libc.O_NONBLOCK);
    }

    public Descriptor Read { get; }

    public Descriptor Write { get; }

    public void Dispose()
    {
        Read.Dispose();
        Write.Dispose();
    }
}

/// <summary>Takes an ended child off the kernel's list.</summary>
internal static unsafe class ChildExit
{
    public static (int ExitCode, int Signal) Reap(int pid)
    {
        int status;
        while (Libc.waitpid(pid, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.EINTR)
            {
                throw Errno.Failed($"waiting for process {pid}");
            }
        }

        return ((status >> 8) & 0xff, status & 0x7f);
    }
}
