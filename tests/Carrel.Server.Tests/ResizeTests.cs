using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class ResizeTests
{
    private const long GiB = 1L << 30;

    [Fact]
    public async Task Every_dimension_is_applied_answered_and_kept_over_a_restart()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();

        var answer = (await PatchAsync(server, id, new { vcpus = 4, mem_gb = 8, disk_size_gb = 30, bandwidth_limit_mbps = 1000, auto_stop_minutes = 5 })).Expect(200);

        Assert.Equal(
            """
            {"vcpus":4,"mem_gb":8,"disk_size_gb":30,"bandwidth_limit_mbps":1000,"auto_stop_minutes":5,"results":{
            "vcpus":{"requested":4,"applied":4,"ok":true},"mem_mb":{"requested":8192,"applied":8192,"ok":true},
            "disk_gb":{"requested":30,"applied":30,"ok":true},"bandwidth_limit_mbps":{"requested":1000,"applied":1000,"ok":true}},"partial":false}
            """.ReplaceLineEndings(""),
            answer.Body);
        Assert.Equal((4, 8 * GiB, 30 * GiB, 1000), (machine.Limits.Cpus, machine.Limits.MemoryBytes, machine.Limits.DiskBytes, machine.Limits.BandwidthMbps));
        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200).Json;
        Assert.Equal((4, 8, 30, 5), (shown.GetProperty("cpu").GetInt32(), shown.GetProperty("ram").GetInt32(), shown.GetProperty("disk_size_gb").GetInt32(), shown.GetProperty("auto_stop_minutes").GetInt32()));

        (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200);
        var again = server.World.Machines[machine.Id];
        Assert.Equal((4, 8 * GiB, 30 * GiB, 1000), (again.Limits.Cpus, again.Spec.Limits.MemoryBytes, again.Spec.Limits.DiskBytes, again.Spec.Limits.BandwidthMbps));
    }

    [Fact]
    public async Task What_cannot_be_applied_fails_for_itself()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Refuses = limits => limits.MemoryBytes is null ? null : new Failure(ErrorCodes.NotSupported, "3000 MiB are in use.");

        var some = (await PatchAsync(server, id, new { vcpus = 2, mem_gb = 1, disk_size_gb = 4 })).Expect(207).Json;
        Assert.True(some.GetProperty("partial").GetBoolean());
        Assert.Equal((2, 4, 8), (some.GetProperty("vcpus").GetInt32(), some.GetProperty("mem_gb").GetInt32(), some.GetProperty("disk_size_gb").GetInt32()));
        var memory = some.GetProperty("results").GetProperty("mem_mb");
        Assert.Equal((1024, 4096, false), (memory.GetProperty("requested").GetInt32(), memory.GetProperty("applied").GetInt32(), memory.GetProperty("ok").GetBoolean()));
        Assert.Contains("in use", memory.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("shrink", some.GetProperty("results").GetProperty("disk_gb").GetProperty("error").GetString(), StringComparison.Ordinal);

        var none = (await PatchAsync(server, id, new { mem_gb = 1 })).ExpectError(422, "resize_failed", "3000 MiB");
        Assert.False(none.Json.GetProperty("partial").GetBoolean());
        Assert.Equal(4 * GiB, machine.Limits.MemoryBytes);
    }

    [Theory]
    [InlineData("{\"vcpus\":3}", "vcpus")]
    [InlineData("{\"vcpus\":\"2\"}", "vcpus")]
    [InlineData("{\"mem_gb\":5}", "mem_gb")]
    [InlineData("{\"mem_gb\":128}", "mem_gb")]
    [InlineData("{\"disk_size_gb\":0}", "disk_size_gb")]
    [InlineData("{\"disk_size_gb\":1.5}", "disk_size_gb")]
    [InlineData("{\"bandwidth_limit_mbps\":-1}", "bandwidth_limit_mbps")]
    [InlineData("{\"auto_stop_minutes\":-1}", "auto_stop_minutes")]
    [InlineData("{\"cpu\":2}", "vcpus")]
    [InlineData("{\"ram\":8}", "mem_gb")]
    public async Task A_value_that_is_not_allowed_is_400_and_named(string body, string field)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var before = machine.Limits;

        (await PatchAsync(server, id, body)).ExpectError(400, "invalid_field", field);

        Assert.Equal(before, machine.Limits);
    }

    [Fact]
    public async Task Only_a_running_computer_is_resized_and_nothing_asked_for_changes_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();

        var nothing = (await PatchAsync(server, id, new { })).Expect(200);
        Assert.Equal("""{"vcpus":1,"mem_gb":4,"disk_size_gb":8,"bandwidth_limit_mbps":0,"partial":false}""", nothing.Body);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        (await PatchAsync(server, id, new { vcpus = 2 })).ExpectError(409, "not_running", "stopped");
        (await PatchAsync(server, "00000000-0000-4000-8000-000000000000", new { vcpus = 2 })).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task Resizes_come_one_after_another_and_a_stop_after_them()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var (inside, most) = (0, 0);
        server.World.At = async (step, _) =>
        {
            if (step == "resize")
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                await Task.Yield();
                Interlocked.Decrement(ref inside);
            }
        };

        var sizes = new[] { 1, 2, 4, 8, 16, 2, 4, 8, 16, 1, 2, 4 };
        var answers = await Task.WhenAll(sizes.Select(vcpus => PatchAsync(server, id, new { vcpus, mem_gb = Math.Min(vcpus, 8) })));

        Assert.Equal(1, most);
        Assert.All(answers.Zip(sizes), pair => Assert.Equal(pair.Second, pair.First.Expect(200).Json.GetProperty("vcpus").GetInt32()));
        var shown = (await server.GetAsync($"/api/computers/{id}")).Expect(200).Json.GetProperty("cpu").GetDouble();
        Assert.Equal(shown, machine.Limits.Cpus);

        var gate = server.World.HoldAt("resize");
        var resize = PatchAsync(server, id, new { vcpus = 8 });
        await gate.Reached;
        var stop = server.PostAsync($"/api/computers/{id}/stop");
        await server.UntilStatusAsync(id, "stopping");
        gate.Open();
        (await resize).Expect(200);
        (await stop).Expect(200);
        var stopped = (await server.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal(("stopped", 8), (stopped.Text("status"), stopped.Json.GetProperty("cpu").GetInt32()));
    }

    [Fact]
    public async Task After_a_kill_in_mid_resize_the_record_says_what_the_machine_has()
    {
        await using var world = new FakeWorld();
        await using var first = await RunningServer.StartAsync(world);
        var (id, machine) = await first.ComputerAsync();
        var gate = new Gate();
        world.At = (step, _) => step == "resize:done" && machine.Limits.MemoryBytes == 8 * GiB ? gate.PassAsync() : Task.CompletedTask;
        var interrupted = PatchAsync(first, id, new { vcpus = 4, mem_gb = 8, bandwidth_limit_mbps = 100 });
        await gate.Reached;
        await first.KillAsync();
        world.At = (_, _) => Task.CompletedTask;

        await using var second = await RunningServer.StartAsync(world, first.Data);

        var shown = (await second.GetAsync($"/api/computers/{id}")).Expect(200);
        Assert.Equal(("running", 4, 8), (shown.Text("status"), shown.Json.GetProperty("cpu").GetInt32(), shown.Json.GetProperty("ram").GetInt32()));
        (await second.PostAsync($"/api/computers/{id}/restart")).Expect(200);
        Assert.Equal(8 * GiB, world.Machines[machine.Id].Spec.Limits.MemoryBytes);
        gate.Open();
        await Assert.ThrowsAnyAsync<Exception>(() => interrupted);
    }

    private static Task<Answer> PatchAsync(RunningServer server, string id, object body) => server.SendAsync(HttpMethod.Patch, $"/api/computers/{id}/resize", body);
}
