using System.Security.Cryptography;
using System.Text;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Terminals;

public sealed class TerminalTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task It_is_a_login_shell_on_the_display_in_roots_home_with_a_terminal_that_controls_it()
    {
        using var terminal = await OpenAsync();

        await terminal.TypeAsync("shopt -q login_shell && echo login in $PWD on $DISPLAY as $TERM; ps -o tpgid= -o sid= -p $$ | awk '{print ($1 > 0 && $2 == '$$') ? \"con\" \"trols\" : \"no\"}'; ls /proc/self/fd | tr '\\n' ' '; echo end''ed\r");

        var shown = await terminal.UntilShownAsync("ended\r\n");
        Assert.Contains($"login in /root on :{desk.Display} as xterm-256color", shown, StringComparison.Ordinal);
        Assert.Contains("controls\r\n", shown, StringComparison.Ordinal);
        Assert.Contains("0 1 2 3 ended", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_size_is_what_was_asked_for_and_changes()
    {
        using var terminal = await OpenAsync("?cols=101&rows=33");
        await terminal.TypeAsync("trap 'echo now $(stty size)' WINCH; stty size\r");
        await terminal.UntilShownAsync("33 101\r\n");
        // Only who is in the foreground is told of a change: the shell again, once it says something itself.
        await terminal.TypeAsync("echo the sh''ell\r");
        await terminal.UntilShownAsync("the shell\r\n");

        await terminal.SendAsync(new { type = "resize", cols = 120, rows = 40 });

        await terminal.TypeAsync("\r");
        await terminal.UntilShownAsync("now 40 120\r\n");
    }

    [Fact]
    public async Task Without_a_size_it_has_the_usual_one()
    {
        using var terminal = await OpenAsync();
        await terminal.TypeAsync("stty size\r");
        await terminal.UntilShownAsync("24 80\r\n");
    }

    [Theory]
    [InlineData("?cols=0", "cols")]
    [InlineData("?cols=1001", "cols")]
    [InlineData("?rows=x", "rows")]
    [InlineData("?rows=2.5", "rows")]
    [InlineData("?session=", "session")]
    [InlineData("?session=-x", "session")]
    [InlineData("?session=a.b", "session")]
    [InlineData("?session=a%3Bkill-server", "session")]
    public async Task A_parameter_that_is_no_good_is_named_and_closes(string query, string field)
    {
        using var terminal = await OpenAsync(query);

        var error = await terminal.NextAsync("error");

        Assert.StartsWith($"{field} must ", error!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Null(await terminal.ReceiveAsync());
        Assert.Equal(1008, terminal.Closed);
    }

    [Fact]
    public async Task A_plain_request_is_told_to_upgrade()
    {
        using var response = await desk.Host.GetAsync("/terminal");

        Assert.Equal(426, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("true; exit", 0)]
    public async Task The_end_of_the_shell_is_told_with_its_exit_code_after_all_output(string command, int code)
    {
        using var terminal = await OpenAsync();

        await terminal.TypeAsync($"seq 20000; echo la''st; {command}\r");

        Assert.Equal(code, (await terminal.NextAsync("exit"))!.Value.GetProperty("code").GetInt32());
        Assert.Contains("20000\r\nlast\r\n", terminal.Shown, StringComparison.Ordinal);
        Assert.Null(await terminal.ReceiveAsync());
        Assert.Equal(1000, terminal.Closed);
    }

    [Fact]
    public async Task A_job_that_goes_on_writing_does_not_hold_up_the_end()
    {
        using var terminal = await OpenAsync();

        await terminal.TypeAsync("trap '' HUP; (trap '' HUP; exec timeout 20 yes) & sleep 0.2; exit 3\r");

        Assert.Equal(3, (await terminal.NextAsync("exit"))!.Value.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task Characters_are_never_cut_and_what_is_none_is_replaced()
    {
        using var terminal = await OpenAsync();
        await terminal.TypeAsync("stty -echo; PS1=; echo rea''dy\r");
        await terminal.UntilShownAsync("ready\r\n");
        var text = string.Concat(Enumerable.Repeat("é😀漢a", 5000));

        // Byte by byte, so that nearly every read ends within a character; then in one go; then bytes that are none.
        await terminal.TypeAsync("python3 -uc \"import sys,os\nfor b in ('😀漢é' * 40).encode(): os.write(1, bytes([b]))\nprint('+')\"\r");
        var slowly = await terminal.UntilShownAsync("+\r\n");
        await terminal.TypeAsync("python3 -c \"print('é😀漢a' * 5000 + '.')\"; printf 'x\\xff\\xc3y\\n'; echo do''ne\r");
        var shown = await terminal.UntilShownAsync("done\r\n");

        Assert.Contains(string.Concat(Enumerable.Repeat("😀漢é", 40)) + "+\r\n", slowly, StringComparison.Ordinal);
        Assert.Contains($"{text}.\r\n", shown, StringComparison.Ordinal);
        Assert.Contains("x\ufffd\ufffdy\r\n", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Emoji_are_echoed_and_erased_whole()
    {
        using var terminal = await OpenAsync();
        // The kernel's own echo and erasing, without readline.
        await terminal.TypeAsync("echo rea''dy; cat; echo af''ter\r");
        await terminal.UntilShownAsync("ready\r\n");

        await terminal.TypeAsync("a😀\u007fb\r\u0004");

        var shown = await terminal.UntilShownAsync("after\r\n");
        Assert.Contains("😀", shown, StringComparison.Ordinal);
        Assert.Contains("\r\nab\r\n", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200_000)]
    [InlineData(900_000)]
    public async Task A_long_paste_arrives_whole_while_it_is_echoed(int length)
    {
        using var terminal = await OpenAsync();
        var text = string.Concat(Enumerable.Range(0, length / 10).Select(n => $"{n:D8}é"));
        var file = Path.Combine(desk.Folder, $"paste-{length}");
        await terminal.TypeAsync($"stty raw; echo go''es; head -c {length} > {file}; stty sane; sha256sum {file}\r");
        await terminal.UntilShownAsync("goes");

        await terminal.TypeAsync(text);

        await terminal.UntilShownAsync(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    [Fact]
    public async Task A_program_that_does_not_read_holds_up_neither_pings_nor_the_end()
    {
        using var terminal = await OpenAsync();
        var mark = $"55{Environment.ProcessId}";
        await terminal.TypeAsync($"stty raw -echo; echo sle''eps; sleep {mark}\r");
        await terminal.UntilShownAsync("sleeps");
        Assert.Equal(1, await Eventually.Is(() => Count($"sleep\0{mark}"), count => count == 1));

        await terminal.TypeAsync(new string('x', 900_000));
        await terminal.SendAsync(new { type = "ping" });

        Assert.NotNull(await terminal.NextAsync("pong"));
        Assert.Equal(1, Count($"sleep\0{mark}"));
        await terminal.CloseAsync();
        Assert.Equal(0, await Eventually.Is(() => Count($"sleep\0{mark}"), count => count == 0));
    }

    [Theory]
    [InlineData("close")]
    [InlineData("abort")]
    public async Task A_client_that_goes_hangs_up_on_the_shell_and_its_jobs(string how)
    {
        using var terminal = await OpenAsync();
        var mark = $"44{how.Length}{Environment.ProcessId}";
        await terminal.TypeAsync($"sleep {mark} & sleep {mark}\r");
        Assert.Equal(2, await Eventually.Is(() => Count($"sleep\0{mark}"), count => count == 2));

        if (how == "close")
        {
            await terminal.CloseAsync();
        }
        else
        {
            terminal.Abort();
        }

        Assert.Equal(0, await Eventually.Is(() => Count($"sleep\0{mark}"), count => count == 0));
    }

    [Fact]
    public async Task A_shell_deaf_to_hanging_up_is_killed()
    {
        using var terminal = await OpenAsync();
        var mark = $"33{Environment.ProcessId}";
        await terminal.TypeAsync($"exec python3 -c \"import signal,time; signal.signal(signal.SIGHUP, signal.SIG_IGN); time.sleep({mark})\"\r");
        Assert.Equal(1, await Eventually.Is(() => Count($"time.sleep({mark})"), count => count == 1));

        terminal.Abort();

        Assert.Equal(0, await Eventually.Is(() => Count($"time.sleep({mark})"), count => count == 0));
    }

    [Fact]
    public async Task A_reader_that_stalls_holds_up_the_program_and_not_memory()
    {
        using var terminal = await OpenAsync();
        var file = Path.Combine(desk.Folder, "written");
        // Counts what the terminal takes: once the reader stalls, that must stop.
        await terminal.TypeAsync($"stty -echo; echo sta''rts; python3 -uc \"import os\nn = 0\nwhile True:\n n += os.write(1, os.urandom(4096))\n open('{file}', 'w').write(str(n))\"\r");
        await terminal.UntilShownAsync("starts");
        var before = await SettledAsync(() => Written(file));
        var memory = Environment.WorkingSet;

        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);

        Assert.Equal(before, Written(file));
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, 64 << 20);

        // And goes on where it was once the reader does.
        for (var seen = terminal.ShownLength; terminal.ShownLength < seen + 20_000_000;)
        {
            Assert.NotNull(await terminal.NextAsync("output"));
        }

        // The file is empty for a moment each time it is written.
        Assert.True(await Eventually.Is(() => Written(file), written => written > before) > before);
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, 128 << 20);
    }

    [Fact]
    public async Task A_tmux_session_lives_on_and_is_attached_to_again()
    {
        var name = $"t-{Environment.ProcessId}_1";
        using (var first = await OpenAsync($"?session={name}"))
        {
            await first.TypeAsync("here=kept; echo na''med $(tmux display-message -p '#S')\r");
            await first.UntilShownAsync($"named {name}");
            await first.CloseAsync();
        }

        using var second = await OpenAsync($"?session={name}");
        await second.TypeAsync("echo it-is-$here\r");
        await second.UntilShownAsync("it-is-kept");
        await second.TypeAsync("exit\r");

        Assert.Equal(0, (await second.NextAsync("exit"))!.Value.GetProperty("code").GetInt32());
    }

    [Theory]
    [InlineData("""{"type":"resize","cols":0,"rows":10}""", "cols must be between 1 and 1000, got 0")]
    [InlineData("""{"type":"resize","cols":80}""", "rows is required")]
    [InlineData("""{"type":"input"}""", "data is required")]
    [InlineData("""{"type":"input","data":7}""", "data must be a string, got 7")]
    [InlineData("""{"type":"input","data":"\ud800"}""", "data must be a string")]
    [InlineData("""{"type":"dance"}""", "the type of a message is input, resize or ping")]
    public async Task A_message_that_is_no_good_is_told_and_the_terminal_goes_on(string message, string error)
    {
        using var terminal = await OpenAsync();

        await terminal.SendAsync(message);

        Assert.StartsWith(error, (await terminal.NextAsync("error"))!.Value.GetProperty("message").GetString(), StringComparison.Ordinal);
        await terminal.TypeAsync("echo goes on''!\r");
        await terminal.UntilShownAsync("goes on!\r\n");
    }

    [Fact]
    public async Task Many_are_open_at_once_and_all_are_gone_afterwards()
    {
        var terminals = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => OpenAsync()));
        await Task.WhenAll(terminals.Select(async (terminal, n) =>
        {
            await terminal.TypeAsync($"echo num''ber {n}\r");
            await terminal.UntilShownAsync($"number {n}\r\n");
        }));
        Assert.Single(Threads("poller"));

        await Task.WhenAll(terminals.Select(terminal => terminal.CloseAsync()));

        Array.ForEach(terminals, terminal => terminal.Dispose());
        Assert.Empty(await Eventually.Is(() => Threads("poller"), threads => threads.Length == 0));
        Assert.Empty(OpenPairs());
    }

    private Task<Client> OpenAsync(string query = "") => Client.ConnectAsync(desk, $"/terminal{query}");

    private static string[] Threads(string name) => [.. Directory.EnumerateDirectories("/proc/self/task")
        .Where(task => File.Exists($"{task}/comm") && File.ReadAllText($"{task}/comm") == $"{name}\n")];

    private static FileInfo[] OpenPairs() => [.. new DirectoryInfo("/proc/self/fd").EnumerateFiles().Where(file => file.LinkTarget == "/dev/ptmx")];

    private static long Written(string file) => File.Exists(file) && long.TryParse(File.ReadAllText(file), out var count) ? count : 0;

    /// <summary>A count once it has stayed the same for a hundred looks: a program on a busy machine rests now and then.</summary>
    private static async Task<long> SettledAsync(Func<long> look)
    {
        var (seen, same) = (0L, 0);
        await Eventually.Is(
            () =>
            {
                var now = look();
                same = now == seen && now > 0 ? same + 1 : 0;
                seen = now;
                return same;
            },
            times => times >= 100,
            seconds: 60);
        return seen;
    }

    private static int Count(string commandLine) => Directory.EnumerateDirectories("/proc").Count(folder =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline")).Contains(commandLine, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    });
}
