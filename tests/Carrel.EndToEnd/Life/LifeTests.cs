using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Life;

public sealed class LifeTests(SharedInstallation shared)
{
    private readonly Api _api = shared.Api;

    [Fact]
    public async Task A_created_computer_is_usable_in_the_moment_the_answer_comes()
    {
        var computer = await _api.NewComputerAsync();

        Assert.Equal("running", computer.Created["status"]!.GetValue<string>());
        var screen = await computer.ScreenshotAsync();
        Assert.Equal((1280, 720), (screen.Width, screen.Height));
        Assert.True(screen.Colours(0, 0, 1280, 600) > 20, "the wallpaper is painted");
        Assert.True(screen.Colours(0, 680, 1280, 40) > 20, "the panel is painted");
        Assert.Equal("root\n", await computer.BashAsync("whoami"));
    }

    [Fact]
    public async Task Sizes_asked_for_are_the_sizes_inside()
    {
        var computer = await _api.NewComputerAsync(more: new { ram = 4, cpu = 2, disk_size_gb = 3, resolution = "1024x768x24" });

        var disk = long.Parse((await computer.BashAsync("df -B1 --output=size / | tail -1")).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(disk, 2.7 * (1L << 30), 3.0 * (1L << 30));
        var screen = await computer.ScreenshotAsync();
        Assert.Equal((1024, 768), (screen.Width, screen.Height));
        var limit = Directory.EnumerateFiles("/sys/fs/cgroup", "memory.*", new EnumerationOptions { RecurseSubdirectories = true })
            .Where(file => file.Contains($"/{computer.InstanceId}/", StringComparison.Ordinal))
            .First(file => Path.GetFileName(file) is "memory.limit_in_bytes" or "memory.max");
        Assert.Equal($"{4L << 30}", (await File.ReadAllTextAsync(limit)).Trim());
    }

    [Fact]
    public async Task A_stopped_computer_keeps_its_files_and_loses_its_processes()
    {
        var computer = await _api.NewComputerAsync();
        await computer.BashAsync("echo kept > /root/file; apt-get --version > /dev/null; nohup sleep 9999 > /dev/null 2>&1 &");
        var password = computer.Created["vnc_password"]!.GetValue<string>();

        await computer.DoAsync("stop");
        await Computer.UntilAsync(async () => await computer.StatusAsync() == "stopped", "stopped");
        var refused = await _api.PostAsync($"{computer.Path}/click", new { x = 1, y = 1 });
        Assert.Equal((HttpStatusCode.Conflict, "not_running"), (refused.Status, refused.Code));
        Assert.Contains("stopped", refused.Text("error"), StringComparison.Ordinal);
        Assert.Equal("already_stopped", (await _api.PostAsync($"{computer.Path}/stop")).Code);

        await computer.DoAsync("start");
        await Computer.UntilAsync(async () => await computer.StatusAsync() == "running", "running again");
        Assert.Equal("kept\n", await computer.BashAsync("cat /root/file"));
        Assert.Equal("0\n", await computer.BashAsync("pgrep -c sleep || true"));
        var now = (await _api.GetAsync($"{computer.Path}/vnc-password")).Text("password");
        Assert.NotEqual(password, now);
        Assert.Equal("already_running", (await _api.PostAsync($"{computer.Path}/start")).Code);
    }

    [Fact]
    public async Task A_deleted_computer_leaves_nothing_on_the_host()
    {
        var computer = await _api.NewComputerAsync();
        await computer.BashAsync("dd if=/dev/urandom of=/root/big bs=1M count=50 status=none");

        Assert.Equal(HttpStatusCode.OK, (await _api.DeleteAsync(computer.Path)).Status);

        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync(computer.Path)).Status);
        Assert.DoesNotContain(await Leftovers.OfAsync(shared.Installation), left => left.Contains(computer.InstanceId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_many_creates_with_one_name_exactly_one_wins()
    {
        var workspace = await _api.NewWorkspaceAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20)
            .Select(_ => _api.PostAsync("/api/computers", new { workspace_id = workspace, name = "one" })));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.Equal(19, answers.Count(answer => answer.Status == HttpStatusCode.Conflict && answer.Code == "name_taken"));
    }

    [Fact]
    public async Task Software_installed_from_the_registries_runs()
    {
        var computer = await _api.NewComputerAsync();

        await computer.BashAsync("apt-get update -qq && apt-get install -y -qq cowsay > /dev/null 2>&1", timeout: 180);
        Assert.Contains("moo", await computer.BashAsync("/usr/games/cowsay moo"), StringComparison.Ordinal);
        await computer.BashAsync("cd /tmp && npm install --silent --no-audit --no-fund is-number && node -e 'process.exit(require(\"is-number\")(5) ? 0 : 1)'", timeout: 120);
    }
}
