using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Boundary;

public sealed class DiskBoundaryTests(SharedInstallation shared)
{
    [Fact]
    public async Task A_full_disk_is_the_guests_own_trouble()
    {
        var (guest, neighbour) = (await shared.Api.NewComputerAsync(more: new { disk_size_gb = 1 }), await shared.Api.NewComputerAsync());

        await guest.BashAsync("dd if=/dev/urandom of=/root/fill bs=1M status=none; cp /root/fill /root/fill2; true", timeout: 120);

        Assert.EndsWith("full\n", await guest.BashAsync("(head -c 20000000 /dev/urandom > /root/more) 2>/dev/null || echo full; true"), StringComparison.Ordinal);
        Assert.Equal("fine\n", await neighbour.BashAsync("echo fine > /root/f && cat /root/f"));
        await guest.ScreenshotAsync();
        await guest.BashAsync("rm /root/fill*");
        Assert.Equal("room\n", await guest.BashAsync("echo room > /root/more && cat /root/more"));
    }
}

public sealed class ProcessBoundaryTests(SharedInstallation shared)
{
    [Fact]
    public async Task A_fork_bomb_is_contained()
    {
        var (guest, neighbour) = (await shared.Api.NewComputerAsync(), await shared.Api.NewComputerAsync());

        await shared.Api.PostAsync($"{guest.Path}/bash", new { command = "bomb() { bomb | bomb & }; bomb; sleep 3", timeout = 5 });

        Assert.Equal("fine\n", await neighbour.BashAsync("echo fine"));
        Assert.Equal(HttpStatusCode.OK, (await shared.Api.DeleteAsync(guest.Path)).Status);
        Assert.DoesNotContain(await Leftovers.OfAsync(shared.Installation), left => left.Contains(guest.InstanceId, StringComparison.Ordinal));
    }
}

public sealed class InotifyBoundaryTests(SharedInstallation shared)
{
    [Fact]
    public async Task Using_up_inotify_hurts_nobody_else()
    {
        var (guest, neighbour) = (await shared.Api.NewComputerAsync(), await shared.Api.NewComputerAsync());

        var free = "import ctypes; print(sum(ctypes.CDLL(None).inotify_init() >= 0 for _ in range(128)))";
        var before = int.Parse((await HostProcess.RunAsync("python3", "-c", free)).Output, System.Globalization.CultureInfo.InvariantCulture);

        var taken = await guest.DoAsync("exec", new
        {
            code = """
                import ctypes, os
                libc, n = ctypes.CDLL(None), 0
                for uid in range(0, 3000, 100):
                    if os.fork() == 0:
                        os.setuid(uid)
                        while libc.inotify_init() >= 0: pass
                        import signal; signal.alarm(20); signal.pause()
                    n += 1
                print(n)
                """,
            timeout = 30,
        });
        Assert.Equal("30\n", taken["output"]!.GetValue<string>());

        var instances = "import ctypes; print(sum(ctypes.CDLL(None).inotify_init() >= 0 for _ in range(50)))";
        Assert.Equal("50\n", (await neighbour.DoAsync("exec", new { code = instances }))["output"]!.GetValue<string>());
        // Other programs of the host's root come and go meanwhile; the guest's 3,840 would leave none.
        var after = int.Parse((await HostProcess.RunAsync("python3", "-c", free)).Output, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(after, Math.Max(1, before - 30), 128);
    }
}

public sealed class MemoryBoundaryTests(SharedInstallation shared)
{
    [Fact]
    public async Task Eating_memory_ends_the_eater_and_not_the_desktop()
    {
        var guest = await shared.Api.NewComputerAsync(more: new { ram = 4 });

        var eaten = await guest.DoAsync("bash", new { command = "python3 -c 'x=[]\nwhile True: x.append(bytearray(64<<20))'; echo ended $?", timeout = 100 });

        Assert.Contains("ended 137", eaten["output"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("running", await guest.StatusAsync());
        Assert.True((await guest.ScreenshotAsync()).Colours(0, 0, 1280, 720) > 20);
        Assert.Equal("alive\n", await guest.BashAsync("echo alive"));
    }
}

public sealed class FloodBoundaryTests(SharedInstallation shared)
{
    [Theory]
    [InlineData("endless body", "c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n\\r\\n')\n        while True: c.sendall(b'x' * 65536)")]
    [InlineData("endless header", "c.sendall(b'HTTP/1.1 200 OK\\r\\n')\n        while True: c.sendall(b'X-A: ' + b'y' * 8000 + b'\\r\\n')")]
    [InlineData("claims a petabyte", "c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 1000000000000000\\r\\n\\r\\n')\n        while True: c.sendall(b'x' * 65536)")]
    [InlineData("garbage", "c.sendall(bytes(range(256)) * 1000); c.close()")]
    public async Task A_deskd_that_lies_is_cut_off_and_nobody_else_suffers(string how, string reply)
    {
        var (guest, neighbour) = (await shared.Api.NewComputerAsync(), await shared.Api.NewComputerAsync());
        // The guest owns all inside: it puts its own program on deskd's socket (fd 3 of its service) and ends the real one.
        await guest.BashAsync($$"""
            cat > /root/evil.py <<'EOF'
            # {{how}}
            import socket, threading
            s = socket.socket(fileno=3)
            open("/root/serving-{{guest.InstanceId}}", "w").close()
            def serve(c):
                try:
                    c.recv(65536)
                    {{reply}}
                except OSError: pass
            while True:
                c, _ = s.accept()
                threading.Thread(target=serve, args=(c,), daemon=True).start()
            EOF
            printf '#!/bin/sh\nexec python3 /root/evil.py\n' > /run/service/deskd/run
            (until [ -e /root/serving-{{guest.InstanceId}} ]; do sleep 1; s6-svc -k /run/service/deskd; done) > /dev/null 2>&1 &
            """);
        await Computer.UntilAsync(() => LiarServesAsync(guest.InstanceId), "the liar serves", 60);
        var before = ServerMemory();

        Assert.NotEqual(HttpStatusCode.OK, (await shared.Api.PostAsync($"{guest.Path}/click", new { x = 1, y = 1 })).Status);
        for (var i = 0; i < 5; i++)
        {
            var answer = await shared.Api.GetAsync($"{guest.Path}/screenshot?response_format=base64");
            Assert.NotEqual(HttpStatusCode.OK, answer.Status);
            Assert.NotNull(answer.Json["request_id"]);
        }

        Assert.Equal("fine\n", await neighbour.BashAsync("echo fine"));
        Assert.True(ServerMemory() - before < 400L << 20, $"the server grew by {(ServerMemory() - before) >> 20} MiB");
        Assert.Equal(HttpStatusCode.OK, (await shared.Api.DeleteAsync(guest.Path)).Status);
    }

    // Seen from the host, since nobody inside can be asked any more: the liar runs in this computer and has the socket.
    private static async Task<bool> LiarServesAsync(string instanceId)
        => (await HostProcess.RunAsync("pgrep", "-f", "python3 /root/evil.py")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Any(pid => File.Exists($"/proc/{pid}/root/root/serving-{instanceId}"));

    private long ServerMemory() => long.Parse(
        File.ReadLines($"/proc/{shared.Installation.ServerPid}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture) * 1024;
}
