using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Recovery;

/// <summary>The server ends, politely or not; the world must agree with what it says afterwards.</summary>
public sealed class RecoveryTests
{
    private static readonly string[] s_names = ["keeps", "stops", "goes", "starts"];

    [Fact]
    public async Task Computers_live_on_while_the_server_is_down()
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();
        await computer.BashAsync("(setsid sh -c 'while sleep 0.1; do date +%s%N >> /root/ticks; done' > /dev/null 2>&1 &)");
        var password = computer.Created["vnc_password"]!.GetValue<string>();

        await installation.StopAsync();
        await installation.StartAsync();

        var again = new Computer(installation.Api, (await installation.Api.GetAsync(computer.Path)).Json);
        Assert.Equal("running", await again.StatusAsync());
        Assert.Equal(password, (await installation.Api.GetAsync($"{again.Path}/vnc-password")).Text("password"));
        // No gap in the ticks: nothing was paused or restarted.
        Assert.Equal("0\n", await again.BashAsync("awk 'NR>1 && $1-last > 2e9 {gap++} {last=$1} END {print gap+0}' /root/ticks"));
        await again.DoAsync("click", new { x = 10, y = 10 });
    }

    [Fact]
    public async Task A_machine_that_ends_by_itself_is_reported()
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();

        await installation.Api.PostAsync($"{computer.Path}/bash", new { command = "kill -TERM 1; sleep 5", timeout = 6 });

        await Computer.UntilAsync(async () => await computer.StatusAsync() is "stopped" or "error", "the end is noticed");
        await computer.DoAsync("start");
        await Computer.UntilAsync(async () => await computer.StatusAsync() == "running", "running again");
        Assert.Equal("back\n", await computer.BashAsync("echo back"));
    }

    /// <summary>24 points from before the request is read to after it is answered, each with all four operations under way.</summary>
    [Fact]
    public async Task A_killed_server_loses_nothing_and_leaves_nothing()
    {
        await using var installation = await Installation.StartNewAsync();
        for (var point = 0; point < 24; point++)
        {
            var api = installation.Api;
            var workspace = await api.NewWorkspaceAsync();
            var made = await Task.WhenAll(s_names.Select(name => api.NewComputerAsync(workspace, name)));
            var (keeps, stops, goes, starts) = (made[0], made[1], made[2], made[3]);
            await keeps.BashAsync($"echo {point} > /root/point");
            await stops.BashAsync($"echo {point} > /root/point; sync");
            await starts.BashAsync($"echo {point} > /root/point; sync");
            await starts.DoAsync("stop");
            Task[] underway =
            [
                Ignore(api.PostAsync("/api/computers", new { workspace_id = workspace, name = "new" })),
                Ignore(api.PostAsync($"{stops.Path}/stop")),
                Ignore(api.PostAsync($"{starts.Path}/start")),
                Ignore(api.DeleteAsync(goes.Path)),
            ];
            await Task.Delay(TimeSpan.FromMilliseconds(point * 25), TimeProvider.System, TestContext.Current.CancellationToken);
            await installation.KillAsync();
            await Task.WhenAll(underway);
            await installation.StartAsync();
            await CheckAsync(installation, workspace, point, keeps, stops, starts);
            Api.Expect(await installation.Api.DeleteAsync($"/api/workspaces/{workspace}"), HttpStatusCode.OK);
            await NothingButSpareSlotsAsync(installation);
        }
    }

    private static async Task CheckAsync(Installation installation, string workspace, int point, params Computer[] kept)
    {
        var api = installation.Api;
        foreach (var desktop in (await api.GetAsync($"/api/workspaces/{workspace}")).Json["desktops"]!.AsArray())
        {
            var computer = new Computer(api, desktop!.AsObject());
            try
            {
                await Computer.UntilAsync(async () => await computer.StatusAsync() is "running" or "stopped", $"point {point}: {desktop["name"]} is settled", 60);
            }
            catch (UnexpectedAnswerException)
            {
                Assert.Fail($"point {point}: {desktop["name"]} is {(await api.GetAsync(computer.Path)).Json}");
            }

            if (await computer.StatusAsync() == "stopped")
            {
                await computer.DoAsync("start");
                await Computer.UntilAsync(async () => await computer.StatusAsync() == "running", "it starts");
            }

            Assert.Equal("ok\n", await computer.BashAsync("echo ok"));
        }

        foreach (var computer in kept.Select(before => new Computer(api, before.Created)))
        {
            Assert.Equal($"{point}\n", await computer.BashAsync("cat /root/point"));
        }
    }

    private static async Task NothingButSpareSlotsAsync(Installation installation)
        => Assert.DoesNotContain(await Leftovers.OfAsync(installation), left => !left.StartsWith("slot ", StringComparison.Ordinal));

    private static async Task Ignore(Task<Answer> request)
    {
        try
        {
            await request;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
        {
            // The server was killed under it: that is the point.
        }
    }
}

public sealed class LeftoverTests
{
    [Fact]
    public async Task An_installation_that_ends_leaves_nothing_on_the_host()
    {
        var installation = await Installation.StartNewAsync();
        var workspace = await installation.Api.NewWorkspaceAsync();
        await Task.WhenAll(installation.Api.NewComputerAsync(workspace, "a"), installation.Api.NewComputerAsync(workspace, "b"));

        await installation.DisposeAsync();

        Assert.Empty(await Leftovers.OfAsync(installation));
    }

    [Fact]
    public async Task What_a_deleted_installation_left_is_cleared_away_by_the_next_server()
    {
        var abandoned = await Installation.StartNewAsync();
        await abandoned.Api.NewComputerAsync();
        await abandoned.KillAsync();
        Directory.Delete(abandoned.Data, recursive: true);
        Assert.NotEmpty(await Leftovers.OfAsync(abandoned));

        await using var next = await Installation.StartNewAsync();

        Assert.Empty(await Leftovers.OfAsync(abandoned));
    }
}
