using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text;
using Carrel.Contracts;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;
using Carrel.Deskd.Shell;

namespace Carrel.Deskd.Files;

/// <summary>
/// What whole trees need: packed and unpacked by the computer's own tar, which knows every kind of file and every dialect,
/// and is given the folder's handle and not its path; moved between file systems by its mv.
/// </summary>
internal sealed class TreeTools(int display)
{
    public const string ContentType = "application/x-tar";
    private const string Program = "/bin/tar";
    private const string FirstFolder = "/proc/self/fd/3";
    private const string SecondFolder = "/proc/self/fd/4";
    private const int PieceBytes = 256 * 1024;
    private static readonly TimeSpan NoTimeout = TimeSpan.FromDays(24);

    public Reply Pack(Exchange exchange, PathHandle held, string path)
    {
        if (!held.Status.IsFolder)
        {
            return FileProblem.NotAFolder(path);
        }

        if (exchange.Method == "HEAD")
        {
            return Reply.Streamed(200, ContentType, null, (_, _) => Task.CompletedTask, FileReading.Headers(held.Status));
        }

        return held.OpenToRead() is { } folder
            ? Reply.Streamed(200, ContentType, null, (_, cancellationToken) => PackAsync(exchange, folder, path, cancellationToken))
            : FileProblem.Last($"opening {path}");
    }

    /// <summary>Unpacks the request's body into a folder; null when it is done.</summary>
    public async Task<Reply?> UnpackAsync(Exchange exchange, PathHandle held, string path)
    {
        if (!held.Status.IsFolder)
        {
            return FileProblem.NotAFolder(path);
        }

        var (source, sink) = Pipe();
        var body = exchange.OpenBodyPipe();

        // On a thread of its own, as it waits for tar whenever the pipe is full.
        var feeding = Task.Run(() => FeedAsync(body, sink, exchange.Aborted));
        CommandOutcome outcome;
        try
        {
            outcome = await CommandRun.RunAsync(
                output =>
                {
                    using (source) // Only tar holds it from here on, so that feeding ends when tar does.
                    {
                        return Start(["-xBf", "/dev/fd/3", "-C", SecondFolder, "--no-same-owner"], output, output, [source.Fd, held.Fd]);
                    }
                },
                NoTimeout,
                exchange.Aborted);
        }
        finally
        {
            await feeding;
        }

        if (outcome.ExitCode == 0)
        {
            return null;
        }

        return Said(outcome, $"unpacking into {path}", 400, ErrorCodes.InvalidField);
    }

    private static Reply Said(CommandOutcome outcome, string what, int status, string code)
    {
        var said = Encoding.UTF8.GetString(outcome.Output.Span[..Math.Min(outcome.Output.Length, 500)]).Trim();
        return said.Contains("No space left", StringComparison.Ordinal)
            ? Reply.Error(507, ErrorCodes.DiskFull, $"{what}: {said}")
            : Reply.Error(status, code, $"{what}: {said}");
    }

    /// <summary>Moves between file systems, which is to copy and delete; null when it is done.</summary>
    public async Task<Reply?> MoveAcrossAsync(string from, string to, CancellationToken cancellationToken)
    {
        var outcome = await CommandRun.RunAsync(
            output => ChildProcess.Start(new ChildSpec("/bin/mv", ["-T", "--", from, to], ShellEnvironment.Build(display), "/", output, output, [])), NoTimeout, cancellationToken);
        return outcome.ExitCode == 0 ? null : Said(outcome, $"moving {from} to {to}", 409, ErrorCodes.Busy);
    }

    private async Task PackAsync(Exchange exchange, Descriptor folder, string path, CancellationToken cancellationToken)
    {
        var (source, sink) = Pipe();
        using var closed = source;
        int pid;
        using (folder)
        using (sink)
        {
            // What is mounted in the folder, as /proc is in the root, is not part of it.
            pid = Start(["-cf", "-", "-C", FirstFolder, "--one-file-system", "."], sink.Fd, null, [folder.Fd]);
        }

        try
        {
            await using var killed = cancellationToken.UnsafeRegister(_ => ProcessSession.Kill(pid), null);
            var writer = await exchange.StartAnswerAsync();
            for (int read; (read = ReadPipe(source, writer.GetSpan(PieceBytes))) > 0;)
            {
                writer.Advance(read);
                await writer.FlushAsync(cancellationToken);
            }
        }
        catch
        {
            ProcessSession.Kill(pid);
            throw;
        }
        finally
        {
            closed.Dispose();
        }

        // 1: a file changed while it was read, which files do.
        if (Reap(pid) is > 1 and var code)
        {
            throw new IOException($"tar of {path} ended with {code}");
        }
    }

    private static async Task FeedAsync(PipeReader body, Descriptor sink, CancellationToken cancellationToken)
    {
        using var closed = sink;
        var isRead = true;
        while (true)
        {
            var read = await body.ReadAtLeastAsync(PieceBytes, cancellationToken);
            foreach (var piece in read.Buffer)
            {
                isRead = isRead && TryWrite(sink, piece.Span);
            }

            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>False when tar has closed its end: at an archive's end, or because it failed, which its exit code tells.</summary>
    private static unsafe bool TryWrite(Descriptor pipe, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (nint at = 0; at < bytes.Length;)
            {
                var written = Libc.write(pipe.Fd, start + at, bytes.Length - at);
                if (written < 0 && Marshal.GetLastPInvokeError() != Libc.EINTR)
                {
                    return false;
                }

                at += Math.Max(written, 0);
            }
        }

        return true;
    }

    private static unsafe int ReadPipe(Descriptor pipe, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var read = Libc.read(pipe.Fd, start, buffer.Length);
                if (read >= 0 || Marshal.GetLastPInvokeError() != Libc.EINTR)
                {
                    return read >= 0 ? (int)read : throw Errno.Failed("reading a pipe");
                }
            }
        }
    }

    private int Start(string[] arguments, int output, int? errors, int[] extra) =>
        ChildProcess.Start(new ChildSpec(Program, arguments, ShellEnvironment.Build(display), "/", output, errors, extra));

    private static unsafe (Descriptor Source, Descriptor Sink) Pipe()
    {
        var ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
        {
            throw Errno.Failed("a pipe");
        }

        _ = Libc.fcntl(ends[1], Libc.F_SETPIPE_SZ, PieceBytes);
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    private static unsafe int Reap(int pid)
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
}
