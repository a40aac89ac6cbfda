using System.Net;
using System.Net.WebSockets;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Sizes;

public sealed class SuspendTests
{
    [Fact]
    public async Task A_suspended_computer_keeps_its_memory_over_a_killed_server_and_stands_still()
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync();
        await computer.BashAsync("mkfifo /tmp/ask; (setsid sh -c 'secret=42; while :; do read x < /tmp/ask; echo $secret > /tmp/told; done' > /dev/null 2>&1 &)");
        await computer.BashAsync("(setsid sh -c 'while sleep 0.05; do echo x >> /root/ticks; done' > /dev/null 2>&1 &)");

        var suspended = await computer.DoAsync("suspend");
        Assert.Equal("suspended", suspended["status"]!.GetValue<string>());
        Assert.True(suspended["memory_kept"]!.GetValue<bool>());
        var frozen = Processes(computer.InstanceId);
        Assert.NotEmpty(frozen);
        Assert.Equal((HttpStatusCode.Conflict, "not_running"), await AnswerAsync(installation.Api, computer));
        using var socket = new ClientWebSocket();
        var password = computer.Created["vnc_password"]!.GetValue<string>();
        await socket.ConnectAsync(new Uri($"ws://{installation.Address.Authority}/desktops/{computer.InstanceId}/ws/terminal?token={password}"), default);
        await socket.ReceiveAsync(new byte[100], default);
        Assert.Equal(4404, (int)socket.CloseStatus!);

        await installation.KillAsync();
        await installation.StartAsync();

        var again = new Computer(installation.Api, (await installation.Api.GetAsync(computer.Path)).Json);
        Assert.Equal("suspended", await again.StatusAsync());
        Assert.Equal(frozen, Processes(computer.InstanceId));
        Assert.Equal("running", (await again.DoAsync("ensure-running"))["status"]!.GetValue<string>());
        Assert.Equal("42\n", await again.BashAsync("echo > /tmp/ask; for i in $(seq 300); do [ -s /tmp/told ] && break; sleep 0.1; done; cat /tmp/told"));
        var seconds = DateTimeOffset.FromUnixTimeSeconds(long.Parse(await again.BashAsync("date +%s"), System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange((TimeProvider.System.GetUtcNow() - seconds).Duration(), TimeSpan.Zero, TimeSpan.FromMinutes(1));
        await again.BashAsync("a=$(wc -l < /root/ticks); for i in $(seq 300); do [ $(wc -l < /root/ticks) -gt $a ] && exit 0; sleep 0.1; done; exit 1");

        // Neither a stop nor a delete is held up by one that stands still.
        await again.DoAsync("suspend");
        await again.DoAsync("stop");
        await again.DoAsync("start");
        await again.DoAsync("suspend");
        Assert.Equal(HttpStatusCode.OK, (await installation.Api.DeleteAsync(again.Path)).Status);
        Assert.DoesNotContain(await Leftovers.OfAsync(installation), left => !left.StartsWith("slot ", StringComparison.Ordinal)); // Spare ones are there.
    }

    private static async Task<(HttpStatusCode Status, string? Code)> AnswerAsync(Api api, Computer computer)
    {
        var answer = await api.PostAsync($"{computer.Path}/click", new { x = 1, y = 1 });
        return (answer.Status, answer.Code);
    }

    /// <summary>Host pids of a computer's processes.</summary>
    private static List<string> Processes(string instanceId) => Directory
        .EnumerateDirectories(Directory.Exists("/sys/fs/cgroup/carrel") ? "/sys/fs/cgroup/carrel" : "/sys/fs/cgroup/pids/carrel")
        .Select(installation => $"{installation}/{instanceId}/cgroup.procs")
        .Where(File.Exists)
        .SelectMany(File.ReadAllLines)
        .Order(StringComparer.Ordinal)
        .ToList();
}
