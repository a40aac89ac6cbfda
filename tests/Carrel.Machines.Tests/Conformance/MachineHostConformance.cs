using System.Globalization;
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
    protected static readonly MachineSource Desktop = new MachineSource.Image("desktop");
    private IMachineHost? _host;

    protected abstract Task<IMachineHost> OpenAsync();

    protected IMachineHost Host => _host!;

    /// <summary>As a new server does; the machines go on.</summary>
    protected async Task ReopenAsync()
    {
        await Host.DisposeAsync();
        _host = await OpenAsync();
    }

    public async ValueTask InitializeAsync() => _host = await OpenAsync();

    [Fact]
    public async Task A_machine_is_launched_reached_stopped_and_keeps_its_disk()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee01"), Desktop, default)).Value;
        Assert.Equal("", await BashAsync(machine, "echo kept > /root/file"));

        Assert.True((await machine.StopAsync(TimeSpan.FromSeconds(5), default)).Succeeded);
        await machine.Completion;
        var again = (await Host.LaunchAsync(Spec("c0ffee01"), Desktop, default)).Value;

        Assert.Equal("kept\n", await BashAsync(again, "cat /root/file"));
        Assert.True((await again.DestroyAsync(default)).Succeeded);
        Assert.False((await Host.DeleteDiskAsync("c0ffee01", default)).Value);
    }

    [Fact]
    public async Task A_connection_made_before_the_service_is_up_waits_for_it()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee02"), Desktop, default)).Value;

        await using var vnc = await machine.ConnectAsync(MachineService.Vnc, default);
        var greeting = new byte[12];
        await vnc.ReadExactlyAsync(greeting);

        Assert.StartsWith("RFB 003.", System.Text.Encoding.ASCII.GetString(greeting), StringComparison.Ordinal);
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task The_end_of_a_machine_is_noticed_whoever_ended_it()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee03"), Desktop, default)).Value;

        await BashAsync(machine, "(sleep 0.2; kill -TERM 1) > /dev/null 2>&1 &");

        Assert.False((await machine.Completion.WaitAsync(TimeSpan.FromSeconds(20))).OutOfMemory);
        Assert.True((await machine.DestroyAsync(default)).Succeeded);
    }

    [Fact]
    public async Task A_paused_machine_stands_still_and_goes_on_where_it_was()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee04"), Desktop, default)).Value;
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
        var machine = (await Host.LaunchAsync(Spec("c0ffee05"), Desktop, default)).Value;
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
    public async Task A_disk_grows_while_it_is_used_and_never_shrinks()
    {
        const string Size = "df -B1M --output=size / | tail -1";
        var machine = (await Host.LaunchAsync(Spec("c0ffee09"), Desktop, default)).Value;
        Assert.InRange(int.Parse(await BashAsync(machine, Size), CultureInfo.InvariantCulture), 1800, 2048);
        await BashAsync(machine, "head -c 1500M /dev/zero > /root/large");

        var grown = await machine.ResizeAsync(new MachineLimits(DiskBytes: 5L << 30), default);

        Assert.True(grown.Succeeded, grown.Failure?.ToString());
        Assert.InRange(int.Parse(await BashAsync(machine, Size), CultureInfo.InvariantCulture), 4800, 5120);
        Assert.Equal("1500\n", await BashAsync(machine, "head -c 1500M /dev/zero > /root/larger && du -m --apparent-size /root/larger | cut -f1"));
        Assert.False((await machine.ResizeAsync(new MachineLimits(DiskBytes: 4L << 30), default)).Succeeded);

        // What was written down without being done, as a crash leaves it, is done at the next launch.
        await machine.StopAsync(TimeSpan.Zero, default);
        var larger = Spec("c0ffee09") with { Limits = Spec("c0ffee09").Limits with { DiskBytes = 6L << 30 } };
        machine = (await Host.LaunchAsync(larger, Desktop, default)).Value;
        Assert.InRange(int.Parse(await BashAsync(machine, Size), CultureInfo.InvariantCulture), 5800, 6144);
        await machine.DestroyAsync(default);
    }

    [Fact]
    public async Task A_clone_has_all_that_was_written_and_its_source_goes_on()
    {
        var source = (await Host.LaunchAsync(Spec("c0ffee10"), Desktop, default)).Value;
        await BashAsync(source, """
            head -c 50M /dev/urandom > /root/data; echo first > /root/note; rm -r /usr/share/doc; : > /root/journal
            (setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i >> /root/journal; done' > /dev/null 2>&1 &)
            """);
        var hash = await BashAsync(source, "sha256sum /root/data");

        // While something writes all the time, and twice over: a clone of a clone.
        var copied = await Host.CloneDiskAsync("c0ffee10", "c0ffee11", default);
        Assert.True(copied.Succeeded, copied.Failure?.ToString());
        Assert.InRange(copied.Value.Frozen, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(30));
        var clone = (await Host.LaunchAsync(Spec("c0ffee11"), Desktop, default)).Value;
        Assert.Equal("more\n", await BashAsync(source, "a=$(wc -l < /root/journal); for i in $(seq 300); do [ $(wc -l < /root/journal) -gt $a ] && echo more && exit; sleep 0.1; done"));

        Assert.Equal(hash, await BashAsync(clone, "sha256sum /root/data"));
        // Line by line without a gap: what was written before the freeze is there, up to one moment.
        Assert.Equal("whole\n", await BashAsync(clone, "awk '$1 != NR { print; bad=1; exit } END { if (!bad && NR > 0) print \"whole\" }' <(head -n -1 /root/journal)"));
        Assert.Equal("gone\n", await BashAsync(clone, "[ -e /usr/share/doc ] || echo gone"));
        await BashAsync(clone, "echo second > /root/note");
        Assert.Equal("first\n", await BashAsync(source, "cat /root/note"));

        await clone.StopAsync(TimeSpan.Zero, default);
        Assert.Equal(TimeSpan.Zero, (await Host.CloneDiskAsync("c0ffee11", "c0ffee12", default)).Value.Frozen);
        await clone.DestroyAsync(default);
        var third = (await Host.LaunchAsync(Spec("c0ffee12"), Desktop, default)).Value;
        Assert.Equal("second\n", await BashAsync(third, "cat /root/note"));
        Assert.Equal(hash, await BashAsync(third, "sha256sum /root/data"));
        await third.DestroyAsync(default);
        await source.DestroyAsync(default);
        Assert.Equal(ErrorCodes.NotClonable, (await Host.CloneDiskAsync("c0ffee10", "c0ffee11", default)).Failure!.Code);
    }

    [Fact]
    public async Task A_snapshot_brings_a_disk_back_and_begins_others()
    {
        var machine = (await Host.LaunchAsync(Spec("c0ffee13"), Desktop, default)).Value;
        await BashAsync(machine, "echo then > /root/note; head -c 20M /dev/urandom > /root/data");
        var hash = await BashAsync(machine, "sha256sum /root/data");
        var taken = await Host.TakeSnapshotAsync("c0ffee13", "snap-1", default);
        Assert.True(taken.Succeeded, taken.Failure?.ToString());
        Assert.Equal(2L << 30, taken.Value.SizeBytes);
        Assert.InRange(taken.Value.UsedBytes, 20L << 20, 200L << 20);
        await BashAsync(machine, "echo now > /root/note; rm /root/data");
        await machine.StopAsync(TimeSpan.Zero, default);

        Assert.True((await Host.DiskFromSnapshotAsync("snap-1", "c0ffee14", default)).Succeeded);
        Assert.True((await Host.RestoreSnapshotAsync("c0ffee13", "snap-1", default)).Value);
        Assert.True((await Host.DeleteSnapshotAsync("snap-1", default)).Value);
        Assert.False((await Host.DeleteSnapshotAsync("snap-1", default)).Value);

        foreach (var id in (string[])["c0ffee13", "c0ffee14"])
        {
            var again = (await Host.LaunchAsync(Spec(id), Desktop, default)).Value;
            Assert.Equal("then\n", await BashAsync(again, "cat /root/note"));
            Assert.Equal(hash, await BashAsync(again, "sha256sum /root/data"));
            await again.DestroyAsync(default);
        }
    }

    [Fact]
    public async Task A_host_that_opens_again_finds_what_runs_and_destroys_what_is_unknown()
    {
        var (known, unknown) = ((await Host.LaunchAsync(Spec("c0ffee06"), Desktop, default)).Value, (await Host.LaunchAsync(Spec("c0ffee07"), Desktop, default)).Value);
        await BashAsync(known, "echo here > /root/file");

        await ReopenAsync();
        var found = await Host.RecoverAsync(new HashSet<string> { "c0ffee06" }, new HashSet<string>(), default);

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
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Host.LaunchAsync(Spec("c0ffee08"), Desktop, cancelled.Token));
        Assert.False((await Host.DeleteDiskAsync("c0ffee08", default)).Value);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Host.RecoverAsync(new HashSet<string>(), new HashSet<string>(), default);
        await Host.DisposeAsync();
    }

    protected static MachineSpec Spec(string id)
        => new(id, new MachineLimits(1, 2L << 30, 2L << 30, 1024), 800, 600, 24, "conformance");

    protected static async Task<string> BashAsync(IMachine machine, string command)
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
