using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

public sealed class TerminalTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    [Fact]
    public async Task It_is_roots_shell_in_its_home_on_the_display()
    {
        using var terminal = await OpenAsync();

        await terminal.TypeAsync("echo I am $(id -un) in $PWD on $DISPLAY, $(tty)\r");

        await terminal.UntilShownAsync("I am root in /root on :99, /dev/pts/");
    }

    [Fact]
    public async Task Vim_follows_a_resize()
    {
        using var terminal = await OpenAsync("terminal?cols=90&rows=30");
        await terminal.TypeAsync("vi -u NONE -N\r");
        await terminal.UntilShownAsync("VIM - Vi IMproved");

        await terminal.SendAsync(new { type = "resize", cols = 133, rows = 44 });
        // The last line of the larger screen is drawn: what it answers from here on is not drawn over.
        await terminal.UntilShownAsync("\e[43;1H~");

        await terminal.TypeAsync(":set columns?\r");
        await terminal.UntilShownAsync("columns=133");
        await terminal.TypeAsync(":set lines?\r");
        await terminal.UntilShownAsync("lines=44");
        await terminal.TypeAsync(":q!\r");
        // It throws away what is typed before it has left its screen.
        await terminal.UntilShownAsync("\e[?1049l");
        await terminal.TypeAsync("stty size\r");
        await terminal.UntilShownAsync("44 133\r\n");
    }

    [Fact]
    public async Task Emoji_come_back_as_they_went()
    {
        using var terminal = await OpenAsync();
        await terminal.TypeAsync("echo rea''dy; head -1 | od -An -tx1; exit 0\r");
        await terminal.UntilShownAsync("ready\r\n");

        await terminal.TypeAsync("é😀漢👩‍👩‍👧\r");

        Assert.Equal(0, (await terminal.NextAsync("exit"))!.Value.GetProperty("code").GetInt32());
        Assert.Contains("é😀漢👩‍👩‍👧\r\n", terminal.Shown, StringComparison.Ordinal);
        Assert.Contains(" c3 a9 f0 9f 98 80 e6 bc a2", terminal.Shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    public async Task The_exit_code_is_told_before_the_close(string command, int code)
    {
        using var terminal = await OpenAsync();

        await terminal.TypeAsync($"{command}\r");

        Assert.Equal(code, (await terminal.NextAsync("exit"))!.Value.GetProperty("code").GetInt32());
        Assert.Null(await terminal.ReceiveAsync());
        Assert.Equal(1000, terminal.Closed);
    }

    [Fact]
    public async Task A_parameter_that_is_no_good_closes_with_its_reason()
    {
        using var terminal = await OpenAsync("terminal?cols=no");

        Assert.Equal("cols must be a whole number, got \"no\"", (await terminal.NextAsync("error"))!.Value.GetProperty("message").GetString());
        Assert.Null(await terminal.ReceiveAsync());
        Assert.Equal(1008, terminal.Closed);
    }

    [Fact]
    public async Task A_paste_of_200_kB_arrives_whole()
    {
        using var terminal = await OpenAsync();
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(n => $"{n:D7}é\n"));
        var bytes = Encoding.UTF8.GetBytes(text);
        await terminal.TypeAsync($"stty raw; echo go''es; head -c {bytes.Length} > /root/paste; stty sane; echo do''ne\r");
        await terminal.UntilShownAsync("goes");

        await terminal.TypeAsync(text);

        await terminal.UntilShownAsync("done\r\n");
        var sum = await shared.Computer.BashAsync("sha256sum < /root/paste");
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(bytes)), sum, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tmux_session_is_found_again()
    {
        using (var first = await OpenAsync("terminal?session=work"))
        {
            await first.TypeAsync("cd /usr/share; mark=kept; echo re''ady\r");
            await first.UntilShownAsync("ready");
            await first.CloseAsync();
        }

        Assert.Equal("work\n", await shared.Computer.BashAsync("tmux list-sessions -F '#S'"));
        using var second = await OpenAsync("terminal?session=work");
        await second.TypeAsync("echo $PWD is $mark\r");
        await second.UntilShownAsync("/usr/share is kept");
    }

    [Fact]
    public async Task A_client_that_goes_takes_its_shell_along()
    {
        using var terminal = await OpenAsync();
        await terminal.TypeAsync("sleep 4711 & sleep 4711\r");
        await Computer.UntilAsync(async () => await SleepersAsync() == "2\n", "both sleep");

        terminal.Abort();

        await Computer.UntilAsync(async () => await SleepersAsync() == "0\n", "nobody sleeps");

        Task<string> SleepersAsync() => shared.Computer.BashAsync("pgrep -cx -f 'sleep 4711' || true");
    }

    [Fact]
    public async Task A_reader_that_stalls_costs_no_memory()
    {
        using var terminal = await OpenAsync();
        await terminal.TypeAsync("cat /dev/urandom\r");
        await Computer.UntilAsync(async () => await shared.Computer.BashAsync("pgrep -cx cat || true") == "1\n", "cat runs");
        // The buffers of all sockets on the way are full once cat writes no more.
        await Computer.UntilAsync(async () => await WrittenAsync() is var before && before > 0 && before == await WrittenAsync(), "cat is held up", seconds: 60);
        var (deskd, server) = (await DeskdAsync(), Server());

        await shared.Computer.BashAsync("sleep 3");

        Assert.InRange(await DeskdAsync() - deskd, int.MinValue, 16 * 1024);
        Assert.InRange(Server() - server, int.MinValue, 64 * 1024);

        Task<long> WrittenAsync() => NumberAsync("sed -n 's/^wchar: //p' /proc/$(pgrep -x cat)/io; sleep 0.3");
        Task<long> DeskdAsync() => NumberAsync("sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$(pgrep -x carrel-deskd)/status");
        async Task<long> NumberAsync(string command) => long.Parse(await shared.Computer.BashAsync(command), System.Globalization.CultureInfo.InvariantCulture);
        long Server() => Environment.SystemPageSize / 1024 * long.Parse(
            File.ReadAllText($"/proc/{shared.Installation.ServerPid}/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_client_of_another_maker_has_its_round_trip()
    {
        var address = LiveSocket.AddressOf(shared.Installation.Address, shared.Computer.InstanceId, "terminal?cols=70&rows=20", Password);

        var (exitCode, output) = await HostProcess.RunAsync(ClientFolder("run"), "terminal.mjs", address.ToString());

        Assert.True(exitCode == 0, output);
        var seen = JsonElement.Parse(output);
        Assert.Equal((1, 5, 1000), (seen.GetProperty("pongs").GetInt32(), seen.GetProperty("exit").GetInt32(), seen.GetProperty("close").GetInt32()));
        Assert.Empty(seen.GetProperty("errors").EnumerateArray());
        Assert.Contains("22 111\r\nhello 😀\r\n", seen.GetProperty("shown").GetString(), StringComparison.Ordinal);
    }

    private static string ClientFolder(string file, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "../../clients", file);

    private string Password => shared.Computer.Created["vnc_password"]!.GetValue<string>();

    private Task<LiveSocket> OpenAsync(string pathAndQuery = "terminal") =>
        LiveSocket.ConnectAsync(shared.Installation.Address, shared.Computer.InstanceId, pathAndQuery, Password);
}
