using System.Runtime.InteropServices;
using Carrel.Deskd.Native;
using Carrel.Deskd.Polling;
using Carrel.Deskd.Shell;

namespace Carrel.Deskd.Terminals;

/// <summary>
/// A program on a pseudo-terminal of its own, which is its controlling terminal. One reads and one writes at a time; both
/// wait without a thread.
/// </summary>
internal sealed class Pty : IAsyncDisposable
{
    // More than the kernel keeps of a program that has ended. What comes after that is written by its heirs.
    private const int MostAfterExit = 256 * 1024;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private readonly TimeProvider _time;
    private readonly Descriptor _terminal;
    private readonly Descriptor _process;
    private readonly Polled _terminalReady;
    private readonly Polled _processReady;
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _pid;
    private volatile bool _closing;
    private int _afterExit;

    /// <exception cref="IOException">The program could not be started.</exception>
    public Pty(string program, string[] arguments, string[] environment, int columns, int rows, TimeProvider time)
    {
        _time = time;
        _terminal = Tty.OpenPair(out var farEnd);
        try
        {
            Tty.SetSize(_terminal, columns, rows);
            Tty.SetUtf8(_terminal);
            _pid = ChildProcess.Start(ChildSpec.OnTerminal(program, arguments, environment, ShellEnvironment.WorkingFolder, farEnd));
        }
        catch (IOException)
        {
            _terminal.Dispose();
            throw;
        }

        _process = Descriptor.Of(Libc.pidfd_open(_pid, 0), "a pidfd");
        _terminalReady = Poller.Watch(_terminal);
        _processReady = Poller.Watch(_process);
        _ = ReapAsync();
    }

    /// <summary>The exit code, once the program has ended.</summary>
    public Task<int> Exited => _exited.Task;

    public void Resize(int columns, int rows) => Tty.SetSize(_terminal, columns, rows);

    /// <summary>Reads what there is, at least a byte; 0 when the program has ended and all was read, or at <see cref="Close"/>.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        while (!_closing)
        {
            // Looked at before the read: what a program wrote is there when it has ended.
            var ended = Exited.IsCompleted;
            var count = Read(buffer.Span);
            _afterExit += ended ? count : 0;
            if (count > 0 && _afterExit <= MostAfterExit)
            {
                return count;
            }

            if (ended)
            {
                return 0;
            }

            await _terminalReady.Readable.WaitAsync();
        }

        return 0;
    }

    /// <summary>Writes as the program reads. What it does not read before it ends, or before <see cref="Close"/>, is lost.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty && !_closing && !Exited.IsCompleted)
        {
            if (Write(bytes.Span) is var count and > 0)
            {
                bytes = bytes[count..];
            }
            else
            {
                await _terminalReady.Writable.WaitAsync();
            }
        }
    }

    /// <summary>Ends reading and writing, from any thread.</summary>
    public void Close()
    {
        _closing = true;
        _terminalReady.Readable.Set();
        _terminalReady.Writable.Set();
    }

    /// <summary>
    /// Hangs up, once nobody reads or writes: the kernel sends SIGHUP to the shell, which hands it on to its jobs. A shell
    /// that does not go is killed with its session; what has made itself deaf to hanging up, as <c>nohup</c> does, lives on.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _terminalReady.Dispose();
        _terminal.Dispose();
        try
        {
            await Exited.WaitAsync(Grace, _time);
        }
        catch (TimeoutException)
        {
            ProcessSession.Kill(_pid);
            await Exited;
        }
    }

    private async Task ReapAsync()
    {
        await _processReady.Readable.WaitAsync();
        try
        {
            _exited.SetResult(ChildProcess.Reap(_pid));
        }
        catch (IOException e)
        {
            _exited.SetException(e);
        }

        _processReady.Dispose();
        _process.Dispose();
        _terminalReady.Readable.Set();
        _terminalReady.Writable.Set();
    }

    /// <summary>Fills the buffer with what is there now; a read of a terminal gives 4 kB at most.</summary>
    private unsafe int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            var filled = 0;
            for (int count; filled < buffer.Length && (count = (int)Libc.read(_terminal.Fd, start + filled, buffer.Length - filled)) > 0;)
            {
                filled += count;
            }

            return filled;
        }
    }

    private unsafe int Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (int)Libc.write(_terminal.Fd, start, bytes.Length);
        }
    }
}
