using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Xunit;

namespace Carrel.Machines.Tests.Conformance;

/// <summary>What every isolation must do. Each has a class that derives from this one; nothing here knows which.</summary>
[Trait("Needs", "Computers")]
public abstract class MachineHostConformance : IAsyncLifetime
{
    private static readonly MachineSource s_desktop = new MachineSource.Image("desktop");
    private IMachineHost? _host;

    protected abstract Task<IMachineHost> OpenAsync();

    protected IMachineHost Host => _host!;

    public async ValueTask InitializeAsync() => _host = await OpenAsync();

    [Fact]
    public async Task A_machine_is_launched_reached_stopped_and_keeps_its_disk()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee01"), s_desktop, default)).Value;
        Assert.Equal("", await BashAsync(machine, "echo kept > /root/file"));

        Assert.True((await machine.StopAsync(TimeSpan.FromSeconds(5), default)).Succeeded);
        await machine.Completion;
        var again = (await Host.LaunchAsync(Spec("c0ffee01"), s_desktop, default)).Value;

        Assert.Equal("kept\n", await BashAsync(again, "cat /root/file"));
        Assert.True((await again.DestroyAsync(default)).Succeeded);
        Assert.False((await Host.DeleteDiskAsync("c0ffee01", default)).Value);
    }

    [Fact]
    public async Task A_connection_made_before_the_service_is_up_waits_for_it()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee02"), s_desktop, default)).Value;

        await using var vnc = await machine.ConnectAsync(MachineService.Vnc, default);
        var greeting = new byte[12];
        await vnc.ReadExactlyAsync(greeting);

        Assert.StartsWith("RFB 003.", System.Text.Encoding.ASCII.GetString(greeting), StringComparison.Ordinal);
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task The_end_of_a_machine_is_noticed_whoever_ended_it()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee03"), s_desktop, default)).Value;

        await BashAsync(machine, "(sleep 0.2; kill -TERM 1) > /dev/null 2>&1 &");

        Assert.False((await machine.Completion.WaitAsync(TimeSpan.FromSeconds(20))).OutOfMemory);
        Assert.True((await machine.DestroyAsync(default)).Succeeded);
    }

    [Fact]
    public async Task A_paused_machine_stands_still_and_goes_on_where_it_was()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee04"), s_desktop, default)).Value;
        await BashAsync(machine, "echo x > /root/ticks; (setsid sh -c 'while sleep 0.02; do echo x >> /root/ticks; done' > /dev/null 2>&1 &)");

        Assert.True((await machine.PauseAsync(default)).Succeeded);
        Assert.True((await machine.PauseAsync(default)).Succeeded);
        var cpu = (await machine.ReadStatsAsync(default)).CpuTime;
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        Assert.InRange((await machine.ReadStatsAsync(default)).CpuTime - cpu, TimeSpan.Zero, TimeSpan.FromMilliseconds(20));

        Assert.True((await machine.ResumeAsync(default)).Succeeded);
        Assert.Equal("more\n", await BashAsync(machine, "a=$(wc -l < /root/ticks); sleep 0.5; [ $(wc -l < /root/ticks) -gt $a ] && echo more"));
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task Limits_hold_and_change_while_it_runs()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee05"), s_desktop, default)).Value;
        await BashAsync(machine, "true");
        Assert.True((await machine.ResizeAsync(new MachineLimits(Cpus: 0.25, Processes: 300), default)).Succeeded);

        var before = (await machine.ReadStatsAsync(default)).CpuTime;
        await BashAsync(machine, "timeout 2 sh -c 'while :; do :; done'; true");
        var used = (await machine.ReadStatsAsync(default)).CpuTime - before;

        Assert.InRange(used, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(1200));
        Assert.True((await machine.ResizeAsync(new MachineLimits(MemoryBytes: 3L << 30, BandwidthMbps: 100), default)).Succeeded);
        var limits = machine.ReadLimits();
        Assert.Equal((0.25, 3L << 30, 2L << 30, 100), (limits.Cpus, limits.MemoryBytes, limits.DiskBytes, limits.BandwidthMbps));
        Assert.Equal("1 3072\n", await BashAsync(machine, "echo $(nproc) $(free -m | awk '/^Mem/ {print $2}')"));
        Assert.False((await machine.ResizeAsync(new MachineLimits(MemoryBytes: 1 << 20), default)).Succeeded);
        var stats = await machine.ReadStatsAsync(default);
        Assert.True(stats is { ThrottledTime.Ticks: > 0, MemoryInUseBytes: > 0, FileSystemBytes: > 1L << 30 });

        Assert.Contains("unavailable", await BashAsync(machine, "for i in $(seq 400); do sleep 5 & done 2>&1 | head -1; pkill sleep; true"), StringComparison.Ordinal);
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task A_host_that_opens_again_finds_what_runs_and_destroys_what_is_unknown()
    {
        var (known, unknown) = ((await Host.LaunchAsync(Spec("c0ffee06"), s_desktop, default)).Value, (await Host.LaunchAsync(Spec("c0ffee07"), s_desktop, default)).Value);
        await BashAsync(known, "echo here > /root/file");

        await Host.DisposeAsync();
        _host = await OpenAsync();
        var found = await Host.RecoverAsync(new HashSet<string> { "c0ffee06" }, default);

        var machine = Assert.Single(found);
        Assert.Equal("here\n", await BashAsync(machine, "cat /root/file"));
        await unknown.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False((await Host.DeleteDiskAsync("c0ffee07", default)).Value);
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task A_launch_that_fails_leaves_nothing()
    {
        var refused = await Host.LaunchAsync(Spec("c0ffee08"), new MachineSource.Image("no-such-image"), default);

        Assert.Equal(ErrorCodes.HostNotReady, refused.Failure!.Code);
        Assert.False((await Host.DeleteDiskAsync("c0ffee08", default)).Value);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Host.LaunchAsync(Spec("c0ffee08"), s_desktop, cancelled.Token));
        Assert.False((await Host.DeleteDiskAsync("c0ffee08", default)).Value);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Host.RecoverAsync(new HashSet<string>(), default);
        await Host.DisposeAsync();
    }

    private static MachineSpec Spec(string id)
        => new(id, new MachineLimits(1, 2L << 30, 2L << 30, 1024), 800, 600, 24, "conformance");

    private static async Task<string> BashAsync(IMachine machine, string command)
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = async (_, cancel) => await machine.ConnectAsync(MachineService.Deskd, cancel) };
        using var http = new HttpClient(handler) { BaseAddress = new Uri("http://deskd"), Timeout = TimeSpan.FromSeconds(60) };
        using var named = await http.PutAsJsonAsync(
            DeskdProtocol.IdentityPath,
            new { token = "t", vnc_password = "12345678", host_name = "conformance", machine_id = "0123456789abcdef0123456789abcdef", width = 800, height = 600 });
        Assert.True(named.IsSuccessStatusCode, await named.Content.ReadAsStringAsync());
        await http.GetStringAsync(DeskdProtocol.ReadyPath);
        using var answer = await http.PostAsJsonAsync("/bash", new { command });
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["output"]!.GetValue<string>();
    }
}
