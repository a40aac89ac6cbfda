using Carrel.Deskd.Native;
using Carrel.Deskd.Shell;

namespace Carrel.Deskd.Tests.World;

/// <summary>A program on a display, killed with all it started when the test is over.</summary>
internal sealed class RunningProgram : IDisposable
{
    private readonly int _pid;

    /// <param name="output">File for what it writes, or null for nowhere.</param>
    public RunningProgram(string program, string[] arguments, int display, string? output = null)
    {
        using var file = Descriptor.Of(
            Native.OpenForWriting(output ?? "/dev/null"), $"opening {output}");
        _pid = ChildProcess.Start(new ChildSpec(
            program, arguments, [.. ShellEnvironment.Build(display), "LC_ALL=C.UTF-8"], "/", file.Fd, file.Fd, []));
    }

    /// <summary>Ended, though not yet waited for.</summary>
    public bool HasEnded => File.ReadAllText($"/proc/{_pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    public unsafe void Dispose()
    {
        ProcessSession.Kill(_pid);
        int status;
        _ = Libc.waitpid(_pid, &status, 0);
    }
}
