using System.Text;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Shell;

public sealed class BashTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task Output_and_errors_come_in_order_with_the_exit_code()
    {
        var (status, answer) = await desk.Post("/bash", ("command", "echo one; echo two >&2; echo three; exit 7"));

        Assert.Equal(200, status);
        Assert.Equal(
            """{"success":true,"action":"bash","command":"echo one; echo two >&2; echo three; exit 7","output":"one\ntwo\nthree\n","exit_code":7}""",
            answer.ToString());
    }

    [Fact]
    public async Task It_runs_in_roots_home_on_the_display_with_nothing_to_read()
    {
        var (_, answer) = await desk.Post("/bash", ("command", "pwd; echo $DISPLAY; cat | wc -c"));

        Assert.Equal($"/root\n:{desk.Display}\n0\n", answer.GetProperty("output").GetString());
    }

    [Fact]
    public async Task It_leaves_no_descriptors_of_deskd_open()
    {
        var (_, answer) = await desk.Post("/bash", ("command", "ls /proc/self/fd | tr '\\n' ' '"));

        Assert.Equal("0 1 2 3 ", answer.GetProperty("output").GetString());
    }

    [Fact]
    public async Task A_long_command_leaves_none_either()
    {
        var (_, answer) = await desk.Post("/bash", ("command", $": {new string('x', 200_000)}\nls /proc/self/fd | tr '\\n' ' '; echo $0"));

        Assert.Equal("0 1 2 3 /bin/bash\n", answer.GetProperty("output").GetString());
    }

    [Fact]
    public async Task A_background_child_does_not_hold_the_answer()
    {
        var started = TimeProvider.System.GetTimestamp();
        var (_, answer) = await desk.Post("/bash", ("command", "sleep 20 & echo done"));

        Assert.Equal("done\n", answer.GetProperty("output").GetString());
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task A_command_that_kills_its_shell_has_an_exit_code()
    {
        var (status, answer) = await desk.Post("/bash", ("command", "echo before; kill -9 $$; echo after"));

        Assert.Equal((200, 137), (status, answer.GetProperty("exit_code").GetInt32()));
        Assert.Equal("before\n", answer.GetProperty("output").GetString());
    }

    [Fact]
    public async Task A_timeout_kills_everything_the_command_started()
    {
        var mark = $"77{Environment.ProcessId}";
        var (status, answer) = await desk.Post("/bash", ("command", $"set -m; sleep {mark} & sleep {mark}.5; echo never"), ("timeout", 1));

        Assert.Equal((200, 124, true), (status, answer.GetProperty("exit_code").GetInt32(), answer.GetProperty("timed_out").GetBoolean()));
        Assert.Equal(0, await Eventually.Is(() => Sleepers(mark), count => count == 0));
    }

    [Fact]
    public async Task A_client_that_goes_away_takes_its_command_along()
    {
        var mark = $"66{Environment.ProcessId}";
        using var leave = new CancellationTokenSource();
        using var body = new StringContent($$"""{"command":"sleep {{mark}}"}""", Encoding.UTF8, "application/json");
        var asked = desk.Host.PostAsync("/bash", body, leave.Token);
        Assert.Equal(1, await Eventually.Is(() => Sleepers(mark), count => count == 1));

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        Assert.Equal(0, await Eventually.Is(() => Sleepers(mark), count => count == 0));
    }

    [Theory]
    [InlineData(90_000)]
    [InlineData(131_072)]
    [InlineData(1_000_000)]
    public async Task Long_commands_pass(int length)
    {
        var (status, answer) = await desk.Post("/bash", ("command", $"cat <<'END' | wc -c\n{new string('ä', length / 2)}\nEND"));

        Assert.Equal((200, $"{length + 1}\n"), (status, answer.GetProperty("output").GetString()));
    }

    [Fact]
    public async Task Output_past_a_megabyte_is_cut_and_said_so()
    {
        var (_, answer) = await desk.Post("/bash", ("command", "head -c 5000000 /dev/zero | tr '\\0' x; echo end >&2; exit 3"));

        Assert.True(answer.GetProperty("truncated").GetBoolean());
        Assert.Equal(3, answer.GetProperty("exit_code").GetInt32());
        Assert.Equal(1024 * 1024, answer.GetProperty("output").GetString()!.Length);
    }

    [Fact]
    public async Task A_writer_without_a_reader_ends()
    {
        var (_, answer) = await desk.Post("/bash", ("command", "yes | head -1"), ("timeout", 5));

        Assert.Equal(("y\n", 0), (answer.GetProperty("output").GetString(), answer.GetProperty("exit_code").GetInt32()));
    }

    [Fact]
    public async Task Its_processes_go_first_when_memory_runs_out()
    {
        var (_, answer) = await desk.Post("/bash", ("command", "cat /proc/self/oom_score_adj"));

        Assert.Equal("500\n", answer.GetProperty("output").GetString());
    }

    [Theory]
    [InlineData("""{}""", "missing_field", "command")]
    [InlineData("""{"command":1}""", "invalid_field", "command")]
    [InlineData("""{"command":"true","timeout":0}""", "invalid_field", "timeout")]
    [InlineData("""{"command":"true","timeout":301}""", "invalid_field", "timeout")]
    [InlineData("""{"command":"true","timeout":"x"}""", "invalid_field", "timeout")]
    [InlineData("""{"command":"a\u0000b"}""", "invalid_field", "command")]
    [InlineData("""{"command":"\ud800"}""", "invalid_field", "command")]
    public async Task Wrong_fields_are_named(string body, string code, string field)
    {
        var (status, answer) = await desk.Post("/bash", body);

        Assert.Equal((400, code, field), (status, answer.GetProperty("code").GetString(), answer.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Many_run_side_by_side()
    {
        var started = TimeProvider.System.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => desk.Post("/bash", ("command", $"sleep 0.5; echo {i}"))));

        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"{i}\n"), answers.Select(a => a.Answer.GetProperty("output").GetString()!));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.5, 5);
    }

    private static int Sleepers(string mark) => Directory.EnumerateDirectories("/proc").Count(folder =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline")).StartsWith($"sleep\0{mark}", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    });
}
