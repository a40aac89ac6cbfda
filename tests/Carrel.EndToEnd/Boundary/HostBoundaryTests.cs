using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Boundary;

public sealed class HostBoundaryTests(SharedInstallation shared)
{
    private readonly Api _api = shared.Api;

    [Fact]
    public async Task A_guest_cannot_read_the_hosts_files()
    {
        var guest = await _api.NewComputerAsync();
        var secret = $"/var/tmp/carrel-test/secret-{guest.InstanceId}";
        await File.WriteAllTextAsync(secret, "host secret", TestContext.Current.CancellationToken);
        try
        {
            var tries = await guest.BashAsync($$"""
                cat {{secret}} /proc/1/root{{secret}} /proc/*/root{{secret}} /proc/*/cwd{{secret}} 2>/dev/null
                for d in /dev/vda /dev/sda /dev/loop0 /dev/mem /dev/kmsg; do head -c 1 $d 2>/dev/null && echo "read $d"; done
                mknod /tmp/disk b 254 0 2>/dev/null && head -c 1 /tmp/disk 2>/dev/null && echo "read the host's disk"
                mknod /tmp/disk2 b 7 0 2>/dev/null && head -c 1 /tmp/disk2 2>/dev/null && echo "read a loop device"
                mount -t tmpfs none /mnt 2>/dev/null && echo mounted
                mount --bind / /mnt 2>/dev/null && echo bound
                unshare -Urm true 2>/dev/null && echo unshared
                nsenter -t 1 -m true 2>/dev/null && echo entered
                ls -la /opt/carrel/deskd/../../../.. > /dev/null
                grep -c . /proc/kcore /proc/kallsyms 2>/dev/null | grep kcore
                true
                """);
            Assert.Equal("", tries);
        }
        finally
        {
            File.Delete(secret);
        }
    }

    [Fact]
    public async Task A_guests_root_is_nobody_on_the_host()
    {
        var guest = await _api.NewComputerAsync();
        await guest.BashAsync("cp /bin/sleep /root/sleep-as-root; chmod u+s /root/sleep-as-root; (setsid /root/sleep-as-root 300 > /dev/null 2>&1 &)");

        var seen = (await HostProcess.RunAsync("ps", "-eo", "uid,args")).Output.Split('\n').Single(line => line.Contains("/root/sleep-as-root 300", StringComparison.Ordinal));
        Assert.True(uint.Parse(seen.TrimStart().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture) >= 0x7000_0000, seen);
        foreach (var knob in (string[])["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"])
        {
            Assert.Equal("kept\n", await guest.BashAsync($"(echo x > {knob}) 2>/dev/null || echo kept"));
        }

        Assert.Equal("kept\n", await guest.BashAsync("touch /opt/carrel/deskd/x 2>/dev/null || echo kept"));
        Assert.Equal("kept\n", await guest.BashAsync("insmod /x.ko 2>/dev/null || reboot -f 2>/dev/null || swapon /x 2>/dev/null || echo kept"));
    }

    [Fact]
    public async Task Symlinks_a_guest_leaves_lead_the_host_nowhere()
    {
        var guest = await _api.NewComputerAsync();
        var target = $"/var/tmp/carrel-test/target-{guest.InstanceId}";
        await File.WriteAllTextAsync(target, "untouched", TestContext.Current.CancellationToken);
        try
        {
            // Everything that is written from outside at the next start: each now points at the host's path.
            await guest.BashAsync($"""
                for f in /etc/machine-id /etc/hosts /etc/hostname /etc/resolv.conf /run/carrel/vncpasswd; do ln -sfn {target} $f; done
                rm -rf /var/log/carrel; ln -sfn /var/tmp /var/log/carrel; mkdir -p /x; ln -sfn / /x/root; true
                """);
            // It may have made itself unable to start; what counts is where the host was led.
            await _api.PostAsync($"{guest.Path}/restart");
            await Computer.UntilAsync(async () => await guest.StatusAsync() is "running" or "error" or "stopped", "the restart is over", 90);

            Assert.Equal("untouched", await File.ReadAllTextAsync(target, TestContext.Current.CancellationToken));
            Assert.Equal(System.Net.HttpStatusCode.OK, (await _api.DeleteAsync(guest.Path)).Status);
            Assert.Equal("untouched", await File.ReadAllTextAsync(target, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(target);
        }
    }
}
