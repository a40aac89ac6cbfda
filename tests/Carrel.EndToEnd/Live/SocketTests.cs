using System.Text;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Live;

/// <summary>What every socket of a real computer does when something ends, is wrong, or goes away without a word.</summary>
public sealed class SocketTests
{
    private static readonly string[] s_names = ["websockify", "terminal", "audio", "events"];

    [Theory]
    [InlineData("stop")]
    [InlineData("restart")]
    [InlineData("delete")]
    public async Task A_computer_that_ends_closes_its_sockets_with_1001(string what)
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();
        var sockets = await Task.WhenAll(s_names.Select(name => OpenBusyAsync(installation, computer, name)));

        var ending = what == "delete" ? installation.Api.DeleteAsync(computer.Path) : installation.Api.PostAsync($"{computer.Path}/{what}");

        foreach (var (socket, name) in sockets.Zip(s_names))
        {
            Assert.Equal((name, 1001), (name, await socket.UntilClosedAsync()));
            socket.Dispose();
        }

        await ending;
    }

    [Fact]
    public async Task A_server_that_ends_says_so_and_its_successor_serves_again_while_what_ran_in_tmux_runs_on()
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();
        var sockets = await Task.WhenAll(s_names.Select(name => OpenBusyAsync(installation, computer, name)));
        using var named = await LiveSocket.ConnectAsync(installation.Address, computer.InstanceId, "terminal?session=work", installation.Key);
        await named.TypeAsync("marker=kept; clear\r");
        await Computer.UntilAsync(async () => (await computer.BashAsync("tmux list-sessions -F '#S' || true")).Contains("work", StringComparison.Ordinal), "tmux has the session");

        await installation.StopAsync();
        foreach (var socket in sockets.Append(named))
        {
            Assert.Equal(1001, await socket.UntilClosedAsync());
            socket.Dispose();
        }

        await installation.StartAsync();
        computer = new Computer(installation.Api, computer.Created);
        foreach (var name in s_names)
        {
            using var again = await OpenBusyAsync(installation, computer, name);
            await again.CloseAsync();
        }

        using var attached = await LiveSocket.ConnectAsync(installation.Address, computer.InstanceId, "terminal?session=work", installation.Key);
        await attached.TypeAsync("echo \"<$marker>\"\r");
        await attached.UntilShownAsync("<kept>");
    }

    [Fact]
    public async Task Clients_that_vanish_and_a_server_that_is_killed_leave_nothing_inside()
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();
        // The first of each makes what deskd makes once: its loops, its connection to the speaker.
        await OpenAndVanishAsync(installation, computer, 1);
        await computer.DoAsync("wait", new { seconds = 2 });
        var before = await InsideAsync(computer);

        await OpenAndVanishAsync(installation, computer, 5);
        await SettlesAsync(computer, before, "after clients vanished");

        await Task.WhenAll(s_names.Select(name => OpenBusyAsync(installation, computer, name)));
        await installation.KillAsync();
        await installation.StartAsync();
        computer = new Computer(installation.Api, computer.Created);
        await SettlesAsync(computer, before, "after the server was killed");
    }

    [Theory]
    [InlineData("websockify")]
    [InlineData("terminal")]
    [InlineData("audio")]
    [InlineData("events")]
    public async Task Wrong_tokens_and_long_messages_are_told_by_close_codes(string name)
    {
        await using var shared = await Installation.StartNewAsync();
        var workspace = await shared.Api.NewWorkspaceAsync();
        var made = await Task.WhenAll(shared.Api.NewComputerAsync(workspace, "one"), shared.Api.NewComputerAsync(workspace, "two"));
        using var wrong = await LiveSocket.ConnectAsync(shared.Address, made[0].InstanceId, name, "wrong");
        Assert.Equal(4401, await wrong.UntilClosedAsync());
        using var foreign = await LiveSocket.ConnectAsync(shared.Address, made[0].InstanceId, name, made[1].Created["vnc_password"]!.GetValue<string>());
        Assert.Equal(4401, await foreign.UntilClosedAsync());
        using var nowhere = await LiveSocket.ConnectAsync(shared.Address, "deadbeef", name, shared.Key);
        Assert.Equal(4404, await nowhere.UntilClosedAsync());
        if (name != "websockify")
        {
            using var big = await OpenBusyAsync(shared, made[0], name);
            await big.SendTextAsync(new byte[1024 * 1024 + 1]);
            Assert.Equal(1009, await big.UntilClosedAsync());
        }

        Assert.Equal("fine\n", await made[0].BashAsync("echo fine"));
    }

    private static async Task OpenAndVanishAsync(Installation installation, Computer computer, int times)
    {
        for (var i = 0; i < times; i++)
        {
            foreach (var name in s_names)
            {
                // Disposed without a close: the connection just ends.
                using var socket = await OpenBusyAsync(installation, computer, name);
            }
        }
    }

    /// <summary>Opens it and waits for the first thing that only a served socket says.</summary>
    private static async Task<LiveSocket> OpenBusyAsync(Installation installation, Computer computer, string name)
    {
        var socket = await LiveSocket.ConnectAsync(installation.Address, computer.InstanceId, name, installation.Key);
        switch (name)
        {
            case "websockify":
                Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString((await socket.ReceiveAsync())!.Value.Bytes));
                break;
            case "terminal":
                await socket.TypeAsync("echo $((40+2))\r");
                await socket.UntilShownAsync("42");
                break;
            case "audio":
                Assert.NotNull(await socket.NextAsync("started"));
                break;
            default:
                await socket.SendAsync(new { type = "subscribe", event_types = (string[])["window_open", "clipboard", "file_change", "process_start"] });
                Assert.NotNull(await socket.NextAsync("subscribed"));
                break;
        }

        return socket;
    }

    /// <summary>Processes, and files deskd holds open but for its own code, of which it opens more as it comes to need it.</summary>
    private static async Task<(int Processes, int Files)> InsideAsync(Computer computer)
    {
        var counts = (await computer.BashAsync("ls -d /proc/[0-9]* | wc -l; ls -l /proc/$(pidof carrel-deskd)/fd | grep -cv /opt/carrel/")).Split('\n');
        return (int.Parse(counts[0], null), int.Parse(counts[1], null));
    }

    private static async Task SettlesAsync(Computer computer, (int Processes, int Files) before, string when)
    {
        (int Processes, int Files) now = default;
        try
        {
            await Computer.UntilAsync(async () => (now = await InsideAsync(computer)).Processes <= before.Processes && now.Files <= before.Files + 2, when);
        }
        catch (UnexpectedAnswerException)
        {
            Assert.Fail($"{when}: {now.Processes} processes and {now.Files} open files, before {before.Processes} and {before.Files}\n{await computer.BashAsync("ps -ef; ls -l /proc/$(pidof carrel-deskd)/fd")}");
        }
    }
}
