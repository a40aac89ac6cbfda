using System.Text;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Acting;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary><c>POST /bash</c> and <c>POST /exec</c> (reference sections 5 and 25.6).</summary>
internal sealed class ShellEndpoints(int display)
{
    public static readonly TextField Command = new("command", "What bash -c runs, as root in /root.", true, ActionLimits.CommandBytes);
    public static readonly IntegerField BashTimeout = new("timeout", "Seconds until it is killed.", false, 1, 300, 200);
    public static readonly TextField Code = new("code", "Python code, run by a fresh interpreter.", true, ActionLimits.CommandBytes);
    public static readonly IntegerField ExecTimeout = new("timeout", "Seconds until it is killed.", false, 1, 300, 10);

    // The kernel takes no single argument of 128 KiB or more.
    private const int LongestArgument = 100_000;

    // Reads the command from the descriptor it stands in and leaves neither that nor a variable behind.
    private const string RunLongCommand = """eval "exec 3<&-; $(</dev/fd/3)" """;

    private readonly string[] _environment = ShellEnvironment.Build(display);

    public async Task<ActionResult> BashAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.LargeBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var command = ReadProgram(body, Command);
        var timeout = TimeSpan.FromSeconds(body.Read(BashTimeout));
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        var outcome = await CommandRun.RunAsync(output => StartBash(command, output), timeout, exchange.Aborted);
        return ActionResult.Of(json =>
        {
            json.WriteBoolean("success"u8, true);
            json.WriteString("action"u8, "bash"u8);
            json.WriteString("command"u8, command);
            json.WriteString("output"u8, Text(outcome));
            json.WriteNumber("exit_code"u8, outcome.ExitCode);
            WriteTrue(json, "truncated", outcome.Truncated);
            WriteTrue(json, "timed_out", outcome.TimedOut);
        });
    }

    public async Task<ActionResult> ExecAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.LargeBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var code = ReadProgram(body, Code);
        var seconds = body.Read(ExecTimeout);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        using var source = Memfd.Create("exec", Encoding.UTF8.GetBytes(code));
        using var report = Memfd.Create("exec-report", default);
        var outcome = await CommandRun.RunAsync(
            output => ChildProcess.Start(new ChildSpec(
                "/usr/bin/python3", ["-c", PythonRunner.Program], _environment, ShellEnvironment.WorkingFolder, output, null, [source.Fd, report.Fd])),
            TimeSpan.FromSeconds(seconds),
            exchange.Aborted);
        var error = PythonRunner.ReadError(report, outcome, seconds);
        return ActionResult.Of(json =>
        {
            json.WriteString("output"u8, error is null ? Text(outcome) : "");
            json.WriteBoolean("success"u8, error is null);
            json.WriteString("action"u8, "exec"u8);
            json.WriteBoolean("timeout"u8, outcome.TimedOut);
            WriteTrue(json, "truncated", outcome.Truncated);
            if (error is not null)
            {
                json.WriteString("error"u8, error.Message);
                json.WriteString("error_type"u8, error.Type);
                json.WriteString("traceback"u8, error.Traceback);
            }
        });
    }

    private int StartBash(string command, int output)
    {
        if (Encoding.UTF8.GetByteCount(command) < LongestArgument)
        {
            return Bash(command, output, []);
        }

        using var file = Memfd.Create("bash", Encoding.UTF8.GetBytes(command));
        return Bash(RunLongCommand, output, [file.Fd]);
    }

    private int Bash(string command, int output, int[] extra) => ChildProcess.Start(
        new ChildSpec("/bin/bash", ["-c", command], _environment, ShellEnvironment.WorkingFolder, output, output, extra));

    private static string ReadProgram(Body body, TextField field)
    {
        var text = body.Read(field);
        return text.Contains('\0', StringComparison.Ordinal) ? body.Refuse(field, "must not hold a NUL character", text) : text;
    }

    /// <summary>The output as text. What is no UTF-8 becomes U+FFFD, except half a character at a cut.</summary>
    private static string Text(CommandOutcome outcome)
    {
        var bytes = outcome.Output.Span;
        if (outcome.Truncated && Rune.DecodeLastFromUtf8(bytes, out _, out var partial) == System.Buffers.OperationStatus.NeedMoreData)
        {
            bytes = bytes[..^partial];
        }

        return Encoding.UTF8.GetString(bytes);
    }

    private static void WriteTrue(System.Text.Json.Utf8JsonWriter json, string name, bool value)
    {
        if (value)
        {
            json.WriteBoolean(name, true);
        }
    }
}
