using System.Globalization;
using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Sizes;

public sealed class ResizeTests(SharedInstallation shared)
{
    /// <summary>CPUs as nproc, Python, Node and /proc count them, and memory in MiB as free shows it.</summary>
    private const string Look = """
        echo $(nproc) $(python3 -c 'import os; print(os.cpu_count(), len(os.sched_getaffinity(0)))') $(node -p 'os.cpus().length') $(grep -c ^processor /proc/cpuinfo) $(free -m | awk '/^Mem/ {print $2}')
        """;

    [Fact]
    public async Task The_guest_sees_its_size_and_each_change_of_it()
    {
        var computer = await shared.Api.NewComputerAsync(more: new { cpu = 0.5, ram = 2 });
        Assert.Equal("1 1 1 1 1 2048\n", await computer.BashAsync(Look));
        Assert.Equal("1\n", await computer.BashAsync("grep -c '^cpu[0-9]' /proc/stat"));
        Assert.InRange(int.Parse(await computer.BashAsync("ps -o etimes= -p 1"), CultureInfo.InvariantCulture), 0, 600);

        var grown = await ResizeAsync(computer, new { vcpus = 2, mem_gb = 4 }, HttpStatusCode.OK);
        Assert.False(grown.Json["partial"]!.GetValue<bool>());
        var cpus = Math.Min(2, Environment.ProcessorCount);
        Assert.Equal($"{cpus} {cpus} {cpus} {cpus} {cpus} 4096\n", await computer.BashAsync(Look));

        // 1,300 MiB that nothing can reclaim, and as much page cache, which must not count.
        await computer.BashAsync("""
            (setsid python3 -c 'x = bytearray(b"x" * (1300 << 20)); open("/root/eaten", "w").close(); import time; time.sleep(600)' > /dev/null 2>&1 &)
            for i in $(seq 600); do [ -e /root/eaten ] && break; sleep 0.1; done
            head -c 1300M /dev/zero > /root/cached
            """, timeout: 120);
        var some = (await ResizeAsync(computer, new { vcpus = 1, mem_gb = 1 }, HttpStatusCode.MultiStatus)).Json;
        Assert.True(some["partial"]!.GetValue<bool>());
        Assert.Equal((1, 4), (some["vcpus"]!.GetValue<int>(), some["mem_gb"]!.GetValue<int>()));
        Assert.Contains("in use", some["results"]!["mem_mb"]!["error"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("1 1 1 1 1 4096\n", await computer.BashAsync(Look));
        await ResizeAsync(computer, new { mem_gb = 1 }, HttpStatusCode.UnprocessableEntity);
        await ResizeAsync(computer, new { mem_gb = 2 }, HttpStatusCode.OK);
        Assert.Equal("2048\n", await computer.BashAsync("pgrep -f bytearray > /dev/null && free -m | awk '/^Mem/ {print $2}'"));

        Api.Expect(await shared.Api.PostAsync($"{computer.Path}/restart"), HttpStatusCode.OK);
        Assert.Equal("1 1 1 1 1 2048\n", await computer.BashAsync(Look));
        await shared.Api.DeleteAsync(computer.Path);
    }

    [Fact]
    public async Task The_disk_grows_and_never_shrinks()
    {
        var computer = await shared.Api.NewComputerAsync(more: new { disk_size_gb = 1 });
        const string Size = "df -B1M --output=size / | tail -1";
        var before = int.Parse(await computer.BashAsync(Size), CultureInfo.InvariantCulture);

        await ResizeAsync(computer, new { disk_size_gb = 3 }, HttpStatusCode.OK);

        var after = int.Parse(await computer.BashAsync(Size), CultureInfo.InvariantCulture);
        Assert.InRange(after, before + 1500, 3 * 1024);
        await computer.BashAsync("head -c 1500M /dev/zero > /root/more");
        var smaller = (await ResizeAsync(computer, new { disk_size_gb = 2 }, HttpStatusCode.UnprocessableEntity)).Json;
        Assert.Equal(3, smaller["disk_size_gb"]!.GetValue<int>());
        await shared.Api.DeleteAsync(computer.Path);
    }

    private async Task<Answer> ResizeAsync(Computer computer, object size, HttpStatusCode expected)
        => Api.Expect(await shared.Api.SendAsync(HttpMethod.Patch, $"{computer.Path}/resize", size), expected);
}

public sealed class ViewTests
{
    [Fact]
    public async Task Whoever_kills_lxcfs_computers_see_their_size_again()
    {
        await using var installation = await Installation.StartNewAsync();
        var computer = await installation.Api.NewComputerAsync(more: new { ram = 2 });
        var frozen = await installation.Api.NewComputerAsync(more: new { ram = 1 });

        await KillLxcfsAsync(installation);
        await UntilSeenAsync(computer, 2048);
        await UntilSeenAsync(frozen, 1024);

        // Killed while nobody looks: the next server makes it good.
        await installation.KillAsync();
        await KillLxcfsAsync(installation);
        await installation.StartAsync();
        var again = new Computer(installation.Api, (await installation.Api.GetAsync(computer.Path)).Json);
        await UntilSeenAsync(again, 2048);
        var late = await installation.Api.NewComputerAsync(more: new { ram = 4 });
        await UntilSeenAsync(late, 4096);
    }

    private static Task UntilSeenAsync(Computer computer, int megabytes) => Computer.UntilAsync(
        async () => await computer.BashAsync("free -m 2> /dev/null | awk '/^Mem/ {print $2}'") == $"{megabytes}\n", $"free shows {megabytes} MiB", 60);

    private static async Task KillLxcfsAsync(Installation installation)
    {
        var file = Directory.GetDirectories("/run/carrel")
            .Single(folder => File.Exists($"{folder}/data") && File.ReadAllText($"{folder}/data") == installation.Data) + "/lxcfs.pid";
        var pid = (await File.ReadAllTextAsync(file)).Trim();
        await HostProcess.RunAsync("kill", "-KILL", pid);
        await Computer.UntilAsync(() => Task.FromResult(HasEnded(pid)), "lxcfs has ended", 60);
    }

    // Who adopted it may take its time to collect it; one that has ended has no command line any more.
    private static bool HasEnded(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Length == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
