using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Orders;

/// <summary>Computers that are moved, that start when they are needed, and stop when they are not.</summary>
public sealed class OrderTests(SharedInstallation shared)
{
    private Api Api => shared.Api;

    private async Task StopAsync(Computer computer)
    {
        await computer.DoAsync("stop");
        Assert.Equal("stopped", await computer.StatusAsync());
        Assert.NotNull((await Api.PostAsync($"{computer.Path}/stop")).Code);
    }

    [Fact]
    public async Task A_moved_computer_goes_on_with_its_terminal_under_another_name()
    {
        var computer = await Api.NewComputerAsync();
        var to = await Api.NewWorkspaceAsync();
        using var terminal = await LiveSocket.ConnectAsync(shared.Installation.Address, computer.InstanceId, "terminal", computer.Created["vnc_password"]!.GetValue<string>());
        await terminal.TypeAsync("place=before\r");

        Api.Expect(await Api.SendAsync(HttpMethod.Patch, $"{computer.Path}/move", new { workspace_id = to }), HttpStatusCode.OK);
        Api.Expect(await Api.SendAsync(HttpMethod.Patch, computer.Path, new { name = "größe / 世界" }), HttpStatusCode.OK);

        await terminal.TypeAsync("echo still-${place}-here\r");
        await terminal.UntilShownAsync("still-before-here");
        var found = Api.Expect(await Api.GetAsync($"/api/workspaces/{to}/computers/by-name/{Uri.EscapeDataString("größe / 世界")}"), HttpStatusCode.OK);
        Assert.Equal((computer.Id, "running"), (found.Text("id"), found.Text("status")));
        await Api.DeleteAsync(computer.Path);
    }

    [Fact]
    public async Task A_stopped_computer_with_auto_start_is_there_when_it_is_needed()
    {
        var computer = await Api.NewComputerAsync(more: new { auto_start = true });
        var password = computer.Created["vnc_password"]!.GetValue<string>();
        await computer.BashAsync("echo kept > /root/note; sync");
        await StopAsync(computer);

        // Whoever may not use it starts nothing.
        using (var stranger = await LiveSocket.ConnectAsync(shared.Installation.Address, computer.InstanceId, "terminal", password))
        {
            Assert.Null(await stranger.ReceiveAsync());
            Assert.Equal(4401, stranger.Closed);
        }

        Assert.Equal("stopped", await computer.StatusAsync());

        // Actions, many at once.
        var outputs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => computer.BashAsync("cat /root/note; cat /proc/sys/kernel/random/boot_id > /dev/null")));
        Assert.All(outputs, output => Assert.Equal("kept\n", output));

        // A socket.
        await StopAsync(computer);
        using (var terminal = await LiveSocket.ConnectAsync(shared.Installation.Address, computer.InstanceId, "terminal", shared.Installation.Key))
        {
            await terminal.TypeAsync("cat /root/note | tr a-z A-Z\r");
            await terminal.UntilShownAsync("KEPT");
        }

        // A port: after this start nothing listens there yet, which the desktop itself says.
        await StopAsync(computer);
        var port = await Api.GetAsync($"/desktops/{computer.InstanceId}/ports/3000/");
        Assert.Equal((HttpStatusCode.BadGateway, "port_closed"), (port.Status, port.Code));
        Assert.Equal("running", await computer.StatusAsync());
        await Api.DeleteAsync(computer.Path);
    }

    /// <summary>A real minute, on a real idle desktop: its own clockwork must not count as use.</summary>
    [Fact]
    public async Task An_idle_desktop_stops_by_itself_and_a_watched_one_does_not()
    {
        var workspace = await Api.NewWorkspaceAsync();
        var idle = await Api.NewComputerAsync(workspace, "idle", new { auto_stop_minutes = 1 });
        var watched = await Api.NewComputerAsync(workspace, "watched", new { auto_stop_minutes = 1 });
        await idle.BashAsync("echo kept > /root/note");
        using var terminal = await LiveSocket.ConnectAsync(shared.Installation.Address, watched.InstanceId, "terminal", shared.Installation.Key);

        // The workspace's list is no call that names a computer, so looking does not keep it awake.
        async Task<string> StatusAsync(string name) => (await Api.GetAsync($"/api/workspaces/{workspace}")).Json["desktops"]!.AsArray()
            .Single(desktop => desktop!["name"]!.GetValue<string>() == name)!["status"]!.GetValue<string>();
        await Computer.UntilAsync(async () => await StatusAsync("idle") == "stopped", "the idle one has stopped", 420);

        Assert.Equal("running", await StatusAsync("watched"));
        Assert.Contains("idle for 1 minute", (await Api.GetAsync(idle.Path)).Text("status_reason"), StringComparison.Ordinal);
        await idle.DoAsync("start");
        Assert.Equal("kept\n", await idle.BashAsync("cat /root/note"));
        await Api.DeleteAsync($"/api/workspaces/{workspace}");
    }
}
