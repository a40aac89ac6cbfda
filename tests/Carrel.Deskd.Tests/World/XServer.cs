using Carrel.Deskd.Native;
using Carrel.Deskd.Shell;

namespace Carrel.Deskd.Tests.World;

/// <summary>A real Xvnc on a display of its own.</summary>
internal sealed class XServer : IDisposable
{
    private const string Xvnc = "/usr/bin/Xvnc";
    private static int _next = 40 + (Environment.ProcessId % 40 * 20);
    private static int _groups;
    private readonly RunningProgram _process;

    public XServer(int width = 1280, int height = 720, int? display = null)
    {
        if (!File.Exists(Xvnc))
        {
            throw new InvalidOperationException($"{Xvnc} is missing: install tigervnc-standalone-server (and xterm, x11-utils, x11-xserver-utils)");
        }

        Display = display ?? FreeDisplay();
        _process = new RunningProgram(
            Xvnc, [$":{Display}", "-geometry", $"{width}x{height}", "-depth", "24", "-SecurityTypes", "None", "-rfbport", "-1",
            "-rfbunixpath", Path.Combine(Path.GetTempPath(), $"carrel-test-vnc-{Environment.ProcessId}-{Display}")], Display);
    }

    public int Display { get; }

    public void Dispose() => _process.Dispose();

    /// <summary>The first of three numbers in a row that nobody uses.</summary>
    public static int FreeDisplays() => 2000 + (Environment.ProcessId % 1000 * 60) + (Interlocked.Increment(ref _groups) * 3);

    private static int FreeDisplay()
    {
        while (true)
        {
            var display = Interlocked.Increment(ref _next);
            if (!File.Exists($"/tmp/.X{display}-lock") && !File.Exists($"/tmp/.X11-unix/X{display}"))
            {
                return display;
            }
        }
    }
}
