using System.Globalization;
using System.Net;
using Carrel.EndToEnd.Boundary;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Sizes;

public sealed class BandwidthTests(SharedInstallation shared)
{
    private const double Limited = 5;

    /// <summary>Takes what is sent to it and tells how long that took, after it has sent as much itself.</summary>
    private const string Server = """
        import socket, time
        s = socket.create_server(("0.0.0.0", 8001)); print("listening", flush=True)
        while True:
            c, _ = s.accept()
            c.sendall(b"x" * 6_000_000)
            left, began = 6_000_000, time.monotonic()
            while left > 0:
                left -= len(c.recv(65536))
            c.sendall(b"%.1f" % (time.monotonic() - began)); c.close()
        """;

    /// <summary>6 MB each way, one after the other: at 8 Mbit/s each takes six seconds.</summary>
    [Fact]
    public async Task Bandwidth_is_limited_each_way_and_stays_over_a_restart()
    {
        await using var outside = await OutsideHost.CreateAsync();
        using var server = HostProcess.Start("ip", ["netns", "exec", outside.Name, "python3", "-c", Server]);
        Assert.Equal("listening", await server.StandardOutput.ReadLineAsync());
        var computer = await shared.Api.NewComputerAsync();

        await LimitAsync(computer, 8);
        var (down, up) = await TransferAsync(computer, outside);
        Assert.InRange(down, Limited, 100);
        Assert.InRange(up, Limited, 100);
        Api.Expect(await shared.Api.PostAsync($"{computer.Path}/restart"), HttpStatusCode.OK);
        (down, up) = await TransferAsync(computer, outside);
        Assert.InRange(down, Limited, 100);
        Assert.InRange(up, Limited, 100);

        await LimitAsync(computer, 0);
        (down, up) = await TransferAsync(computer, outside);
        Assert.InRange(down, 0, Limited);
        Assert.InRange(up, 0, Limited);
        Assert.True((await shared.Api.GetAsync($"{computer.Path}/metrics")).Json["current"]!["disk_size_bytes"]!.GetValue<long>() > 1 << 30);
        server.Kill();
        await server.WaitForExitAsync();
        await shared.Api.DeleteAsync(computer.Path);
    }

    private static async Task<(double Down, double Up)> TransferAsync(Computer computer, OutsideHost outside)
    {
        var answer = await computer.DoAsync("exec", new
        {
            code = $$"""
                import socket, time
                c = socket.create_connection(("{{outside.PublicAddress}}", 8001))
                left, began = 6_000_000, time.monotonic()
                while left > 0:
                    left -= len(c.recv(65536))
                down = time.monotonic() - began
                c.sendall(b"x" * 6_000_000)
                print(round(down, 1), c.recv(100).decode())
                """,
            timeout = 100,
        });
        var times = answer["output"]!.GetValue<string>().Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToList();
        return (times[0], times[1]);
    }

    private async Task LimitAsync(Computer computer, int mbps) => Api.Expect(
        await shared.Api.SendAsync(HttpMethod.Patch, $"{computer.Path}/resize", new { bandwidth_limit_mbps = mbps }), HttpStatusCode.OK);
}
