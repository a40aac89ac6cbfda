using System.Text;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

internal sealed record PythonError(string Type, string Message, string Traceback);

/// <summary>The small program that runs a snippet from descriptor 3 and reports an error to descriptor 4.</summary>
internal static class PythonRunner
{
    public const string Program = """
        import os, sys
        source = os.fdopen(3, 'rb').read()
        report = os.fdopen(4, 'wb', 0)
        error = None
        try:
            exec(compile(source, '<exec>', 'exec'), {'__name__': '__main__', '__builtins__': __builtins__})
            sys.stdout.flush()
        except SystemExit as e:
            error = None if e.code in (None, 0) else e
        except BaseException as e:
            error = e
        if error is not None:
            import traceback
            parts = type(error).__name__, str(error), ''.join(traceback.format_exception(error))
            report.write(b'\0'.join(part.replace('\0', '').encode('utf-8', 'replace') for part in parts))
        """;

    private const int LongestReport = 64 * 1024;

    /// <summary>What went wrong, or null when nothing did.</summary>
    public static PythonError? ReadError(Descriptor report, CommandOutcome outcome, int seconds)
    {
        if (outcome.TimedOut)
        {
            return new PythonError("TimeoutError", $"the code was killed after {seconds} s", "");
        }

        if (Encoding.UTF8.GetString(Memfd.ReadAll(report, LongestReport)).Split('\0') is [{ Length: > 0 } type, var message, var traceback])
        {
            return new PythonError(type, message, traceback);
        }

        return outcome.ExitCode == 0
            ? null
            : new PythonError("SystemExit", $"the interpreter ended with exit code {outcome.ExitCode}", "");
    }
}
