using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Tests.Fakes;
using Carrel.Server.Waking;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Carrel.Server.Tests.Fakes.Sockets;

namespace Carrel.Server.Tests;

/// <summary>A computer that nobody uses stops after its period, and only then. The clock is set forward; the looks are the test's.</summary>
public sealed class AutoStopTests
{
    private static readonly CancellationToken Soon = TestContext.Current.CancellationToken;

    /// <summary>A computer that stops after two minutes.</summary>
    private static async Task<(string Id, FakeMachine Machine, Computer Computer)> MadeAsync(RunningServer server, bool autoStart = false)
    {
        var (id, machine) = await server.ComputerAsync();
        (await server.PatchAsync($"/api/computers/{id}", new { auto_stop_minutes = 2, auto_start = autoStart })).Expect(200);
        return (id, machine, server.Get<ComputerRegistry>().Find(id)!);
    }

    private static async Task PassAsync(RunningServer server, int minutes)
    {
        for (var minute = 0; minute < minutes; minute++)
        {
            server.Clock.Ahead += TimeSpan.FromSeconds(61);
            await server.Get<AutoStop>().CheckAsync(Soon);
        }
    }

    /// <summary>From here on it counts: two looks, one that sees the calls so far, one that begins the first minute.</summary>
    private static async Task BeginAsync(RunningServer server)
    {
        await server.Get<AutoStop>().CheckAsync(Soon);
        await server.Get<AutoStop>().CheckAsync(Soon);
    }

    [Fact]
    public async Task An_idle_computer_stops_after_its_period_keeps_its_disk_and_says_why()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine, computer) = await MadeAsync(server);
        var (_, other) = await server.ComputerAsync("without");
        await BeginAsync(server);

        await PassAsync(server, 1);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);
        await PassAsync(server, 1);
        await computer.Settled;

        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal("stopped", shown.Text("status"));
        Assert.Contains("idle for 2 minutes", shown.Text("status_reason"), StringComparison.Ordinal);
        Assert.Contains(machine.Id, server.World.Disks.Keys);
        Assert.Equal(other.Id, Assert.Single(server.World.Machines).Key);
        (await server.PostAsync($"/api/computers/{id}/start")).Expect(200);
        Assert.False((await server.GetAsync($"/api/computers/{id}")).Json.TryGetProperty("status_reason", out _));
    }

    [Theory]
    [InlineData("action")]
    [InlineData("status")]
    [InlineData("cpu")]
    [InlineData("network")]
    public async Task Whatever_is_done_begins_the_period_anew(string what)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine, computer) = await MadeAsync(server);
        await BeginAsync(server);
        await PassAsync(server, 1);

        switch (what)
        {
            case "action":
                (await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 })).Expect(200);
                break;
            case "status":
                (await server.GetAsync($"/api/computers/{id}")).Expect(200);
                break;
            case "cpu":
                machine.Stats = new MachineStats(TimeSpan.FromSeconds(10), 0, 0, 0);
                break;
            default:
                machine.Stats = new MachineStats(TimeSpan.Zero, 0, 0, 0) { ReceivedBytes = 10_000, SentBytes = 10_000 };
                break;
        }

        await PassAsync(server, 2);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);
        await PassAsync(server, 2);
        await computer.Settled;
        Assert.Equal(ComputerStatus.Stopped, computer.State.Status);
    }

    [Fact]
    public async Task Nothing_stops_while_something_is_open_or_under_way()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine, computer) = await MadeAsync(server);
        using (var socket = await OpenAsync(server, $"/desktops/{id}/ws/websockify?token={machine.Identity!.VncPassword}"))
        {
            await ReadAsync(socket, FakeVnc.Greeting.Length);
            await PassAsync(server, 5);
            Assert.Equal(ComputerStatus.Running, computer.State.Status);
        }

        var (arrived, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        machine.Answer = async (_, seen) =>
        {
            if (seen.Path == "/bash")
            {
                arrived.SetResult();
                await go.Task;
            }

            return false;
        };
        var bash = server.PostAsync($"/api/computers/{id}/bash", new { command = "sleep 150" });
        await arrived.Task;
        await PassAsync(server, 5);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);
        go.SetResult();
        (await bash).Expect(200);

        await Eventually.TrueAsync(async () =>
        {
            await PassAsync(server, 1); // The socket's end takes its time.
            return computer.State.Status != ComputerStatus.Running;
        });
    }

    [Fact]
    public async Task Who_only_watches_neither_keeps_it_awake_nor_wakes_it()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _, computer) = await MadeAsync(server, autoStart: true);
        string[] watched = [$"/api/computers/{id}?passive=true", $"/api/computers/{id}/screenshot?response_format=binary&passive=true", $"/api/desktops/{id}/proxy/health?passive=1"];
        await BeginAsync(server);
        for (var minute = 0; minute < 2; minute++)
        {
            Assert.All(await Task.WhenAll(watched.Select(path => server.GetAsync(path))), answer => answer.Expect(200));
            await PassAsync(server, 1);
        }

        await computer.Settled;
        Assert.Equal("stopped", (await server.GetAsync(watched[0])).Expect(200).Text("status"));
        (await server.GetAsync(watched[1])).ExpectError(409, "not_running");
        (await server.PostAsync($"/api/computers/{id}/click?passive=true", new { x = 1, y = 1 })).Expect(200);
    }

    [Fact]
    public async Task Nothing_stops_while_it_streams()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, machine, computer) = await MadeAsync(server);
        var status = "streaming";
        machine.Answer = async (context, seen) =>
        {
            if (seen.Path != "/stream/status")
            {
                return false;
            }

            await FakeDeskd.JsonAsync(context, $$"""{"status":"{{status}}"}""");
            return true;
        };
        await BeginAsync(server);
        await PassAsync(server, 6);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);

        status = "terminated";
        await PassAsync(server, 4);
        await computer.Settled;
        Assert.Equal(ComputerStatus.Stopped, computer.State.Status);
    }

    [Fact]
    public async Task Zero_is_never_and_a_new_period_counts_from_its_setting()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _, computer) = await MadeAsync(server);
        (await server.PatchAsync($"/api/computers/{id}/auto-stop", new { auto_stop_minutes = 0 })).Expect(200);
        await BeginAsync(server);
        await PassAsync(server, 10);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);

        (await server.PatchAsync($"/api/computers/{id}/auto-stop", new { auto_stop_minutes = 3 })).Expect(200);
        await BeginAsync(server);
        await PassAsync(server, 2);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);
        await PassAsync(server, 1);
        await computer.Settled;
        Assert.Equal(ComputerStatus.Stopped, computer.State.Status);
    }

    [Fact]
    public async Task After_a_restart_of_the_server_the_period_begins_anew()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, _, _) = await MadeAsync(first);
        await BeginAsync(first);
        await PassAsync(first, 1);
        await first.StopAsync();

        await using var second = await RunningServer.StartAsync(world, first.Data);
        var computer = second.Get<ComputerRegistry>().Find(id)!;
        await BeginAsync(second);
        await PassAsync(second, 1);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);
        await PassAsync(second, 1);
        await computer.Settled;
        Assert.Equal(ComputerStatus.Stopped, computer.State.Status);
    }

    [Fact]
    public async Task A_stop_for_idleness_that_a_crash_cuts_off_is_finished_and_still_says_why()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, _, _) = await MadeAsync(first);
        await BeginAsync(first);
        var gate = world.HoldAt("stop");
        await PassAsync(first, 2);
        await gate.Reached;
        await first.KillAsync();
        world.At = (_, _) => Task.CompletedTask;

        await using var second = await RunningServer.StartAsync(world, first.Data);
        await second.Get<ComputerRegistry>().Find(id)!.Settled;

        var shown = (await second.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal("stopped", shown.Text("status"));
        Assert.Contains("idle", shown.Text("status_reason"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_at_the_moment_of_the_stop_is_served_after_a_new_start()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _, computer) = await MadeAsync(server, autoStart: true);
        await BeginAsync(server);
        var gate = server.World.HoldAt("stop");
        await PassAsync(server, 2);
        await gate.Reached;

        var click = server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 1 });
        gate.Open();

        (await click).Expect(200);
        Assert.Equal(ComputerStatus.Running, computer.State.Status);
    }

    /// <summary>Whoever enters and sees a machine keeps it: the two are set against each other many times.</summary>
    [Fact]
    public async Task A_stop_for_idleness_and_a_call_never_both_win()
    {
        await using var server = await RunningServer.StartAsync();
        var (_, _, made) = await MadeAsync(server);
        var state = made.State;
        for (var round = 0; round < 2000; round++)
        {
            var computer = new Computer(state.Record);
            computer.Set(state.Record, state.Session);
            using var together = new Barrier(2);
            var stop = Task.Run(() =>
            {
                together.SignalAndWait(Soon);
                return computer.Begin(ComputerCommand.Stop, _ => Task.FromResult<Outcome<Computer>>(computer), "idle", onlyUnused: true).Work is not null;
            });
            together.SignalAndWait(Soon);
            computer.Use.Enter();
            var entered = (computer.State.Usable ?? computer.SettledState.Usable) is not null;

            Assert.True(entered ^ await stop, $"round {round}: entered {entered}");
        }
    }
}
