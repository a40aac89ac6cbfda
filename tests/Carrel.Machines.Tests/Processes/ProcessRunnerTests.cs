using Carrel.Machines.Native;
using Carrel.Machines.Processes;
using Xunit;

namespace Carrel.Machines.Tests.Processes;

public sealed class ProcessRunnerTests
{
    [Fact]
    public async Task A_command_gets_its_input_and_returns_output_and_code()
    {
        var result = await ProcessRunner.RunAsync(["sh", "-c", "cat; echo err >&2; exit 7"], "in\n");

        Assert.Equal(new CommandResult(7, "in\nerr\n"), result);
    }

    [Fact]
    public async Task A_command_killed_by_a_signal_reports_it()
        => Assert.Equal(137, (await ProcessRunner.RunAsync(["sh", "-c", "kill -9 $$"])).ExitCode);

    [Fact]
    public async Task Descriptors_arrive_from_three_on_and_no_others()
    {
        using var folder = Fd.Open("/usr", Fd.Directory);
        using var stray = new Fd(Libc.Open("/var", 0, 0));
        using var other = Fd.Open("/etc", Fd.Directory);

        var result = await ProcessRunner.RunAsync(["sh", "-c", "readlink /proc/$$/fd/3; readlink /proc/$$/fd/4; [ ! -e /proc/$$/fd/5 ] && [ ! -e /proc/$$/fd/6 ] && echo no others"], null, other, folder);

        Assert.Equal("/etc\n/usr\nno others\n", result.Output);
    }

    [Fact]
    public async Task A_missing_command_is_said_in_a_sentence()
    {
        var thrown = await Assert.ThrowsAsync<NativeException>(() => ProcessRunner.RunAsync(["no-such-command"]));

        Assert.Contains("start no-such-command", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_at_once_each_get_their_own()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(number => ProcessRunner.RunAsync(["sh", "-c", $"exit {number}"])));

        Assert.Equal(Enumerable.Range(0, 40), results.Select(result => result.ExitCode));
    }
}
