using System.Runtime.InteropServices;
using System.Text;
using Carrel.Contracts;
using Carrel.Machines.Native;
using Microsoft.Win32.SafeHandles;

namespace Carrel.Machines.Processes;

/// <summary>What a finished command left.</summary>
/// <param name="ExitCode">0-255, or 128 + signal.</param>
internal sealed record CommandResult(int ExitCode, string Output)
{
    internal bool Succeeded => ExitCode == 0;
}

/// <summary>
/// The one place that starts processes on the host. Uses posix_spawn (vfork semantics, so that the server's size does not
/// matter) and hands descriptors down by number, which <see cref="System.Diagnostics.Process"/> cannot. Only trusted
/// host commands run here: their output is kept in memory.
/// </summary>
internal static class ProcessRunner
{
    private const int MaxOutput = 64 * 1024;

    /// <summary>Runs a command to its end.</summary>
    /// <param name="arguments">The command, looked up on PATH, and its arguments.</param>
    /// <param name="input">Text on its standard input; empty when null.</param>
    /// <param name="descriptors">Descriptors it finds as 3, 4, ... in this order.</param>
    internal static async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, string? input = null, params SafeHandle[] descriptors)
    {
        using var stdin = Memory(input);
        using var stdout = Memory(null);
        using var child = ChildProcess.Start(arguments, [stdin, stdout, stdout, .. descriptors]);
        await PidfdWatcher.Shared.EndOf(child.Pidfd).ConfigureAwait(false);
        return new CommandResult(child.Reap(), Read(stdout));
    }

    /// <summary>Runs a command whose failure is an expected outcome.</summary>
    internal static async Task<Failure?> TryAsync(IReadOnlyList<string> arguments, string? input = null, params SafeHandle[] descriptors)
    {
        var result = await RunAsync(arguments, input, descriptors).ConfigureAwait(false);
        return result.Succeeded
            ? null
            : new Failure(
                result.Output.Contains("No space left", StringComparison.Ordinal) ? ErrorCodes.HostDiskFull : ErrorCodes.LaunchFailed,
                $"`{string.Join(' ', arguments.Take(4))}` failed with {result.ExitCode}: {result.Output.Trim()}",
                "Run `carrel doctor` on the host.");
    }

    /// <summary>
    /// Runs a command that leaves a process behind which keeps its descriptors: no output is taken, because what is left
    /// behind could write to it for ever.
    /// </summary>
    internal static async Task<int> RunSilentAsync(IReadOnlyList<string> arguments, params SafeHandle[] descriptors)
    {
        using var nothing = Fd.Open("/dev/null", Fd.ReadWrite);
        using var child = ChildProcess.Start(arguments, [nothing, nothing, nothing, .. descriptors]);
        await PidfdWatcher.Shared.EndOf(child.Pidfd).ConfigureAwait(false);
        return child.Reap();
    }

    private static SafeFileHandle Memory(string? content)
    {
        var file = new SafeFileHandle(Errno.Check(Libc.MemfdCreate("carrel", 1), "make a memory file"), ownsHandle: true);
        if (!string.IsNullOrEmpty(content))
        {
            // At offset 0 by pwrite, so that the file position the child reads from stays at the start.
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(content), 0);
        }

        return file;
    }

    private static string Read(SafeFileHandle file)
    {
        var buffer = new byte[Math.Min(RandomAccess.GetLength(file), MaxOutput)];
        var length = RandomAccess.Read(file, buffer, 0);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
