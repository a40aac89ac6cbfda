using System.Text.Json;
using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Metrics;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task Use_is_sampled_answered_as_series_and_offered_inside()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var sampler = server.Get<UsageSampler>();
        for (var look = 0; look <= 6; look++)
        {
            // Half a CPU, held back a tenth of the time, 1000 bytes in and 500 out each second.
            machine.Stats = new MachineStats(TimeSpan.FromSeconds(5 * look), 3000, 40, 0)
            {
                MemoryInUseBytes = 2000,
                ThrottledTime = TimeSpan.FromSeconds(look),
                ReceivedBytes = 10_000 * look,
                SentBytes = 5_000 * look,
                FileSystemUsedBytes = 700,
                FileSystemBytes = 8000,
            };
            server.Clock.Ahead = TimeSpan.FromSeconds(10 * look);
            await sampler.SampleAsync(TestContext.Current.CancellationToken);
        }

        var answer = (await server.GetAsync($"/api/computers/{id}/metrics?step=10")).Expect(200).Json;

        Assert.Equal((10, "running"), (answer.GetProperty("step").GetInt32(), answer.GetProperty("status").GetString()));
        var current = answer.GetProperty("current");
        Assert.InRange(current.GetProperty("cpu_percent").GetDouble(), 35, 55);
        Assert.Equal((100, 3000, 2000, 8000), (current.GetProperty("cpu_limit_percent").GetInt32(), current.GetProperty("memory_bytes").GetInt32(), current.GetProperty("memory_used_bytes").GetInt32(), current.GetProperty("disk_size_bytes").GetInt32()));
        Assert.Equal(4L << 30, current.GetProperty("memory_limit_bytes").GetInt64());
        var count = answer.GetProperty("timestamps").GetArrayLength();
        Assert.InRange(count, 360, 361);
        foreach (var series in answer.GetProperty("series").EnumerateObject())
        {
            Assert.Equal(count, series.Value.GetArrayLength());
            Assert.InRange(series.Value.EnumerateArray().Count(value => value.ValueKind == JsonValueKind.Number), 5, 6);
        }

        var usage = server.Get<IComputerUsage>().Of(id, TimeSpan.FromMinutes(5))!.Value;
        Assert.Equal((30, 60_000, 30_000), (usage.CpuSeconds, usage.ReceivedBytes, usage.SentBytes));
        Assert.InRange(usage.Seconds, 59, 70);
        Assert.Null(server.Get<IComputerUsage>().Of("nobody", TimeSpan.FromMinutes(5)));
        (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        await sampler.SampleAsync(TestContext.Current.CancellationToken);
        Assert.Null(sampler.HistoryOf(id));
    }

    [Fact]
    public async Task A_restart_is_a_gap_and_a_stopped_computer_has_a_past_and_no_present()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var sampler = server.Get<UsageSampler>();
        await LookAsync(0, machine, 100);
        await LookAsync(10, machine, 105);
        (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200);
        await LookAsync(20, server.World.Machines[machine.Id], 0);
        await LookAsync(30, server.World.Machines[machine.Id], 1);
        Assert.Equal(6, server.Get<IComputerUsage>().Of(id, TimeSpan.FromMinutes(5))!.Value.CpuSeconds);

        (await server.PostAsync($"/api/computers/{id}/suspend")).Expect(200);
        Assert.Equal(JsonValueKind.Object, (await server.GetAsync($"/api/computers/{id}/metrics")).Expect(200).Json.GetProperty("current").ValueKind);
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        var stopped = (await server.GetAsync($"/api/computers/{id}/metrics")).Expect(200).Json;
        Assert.Equal(JsonValueKind.Null, stopped.GetProperty("current").ValueKind);
        Assert.Contains(stopped.GetProperty("series").GetProperty("cpu_percent").EnumerateArray(), value => value.ValueKind == JsonValueKind.Number);

        async Task LookAsync(int at, FakeMachine of, int cpuSeconds)
        {
            server.Clock.Ahead = TimeSpan.FromSeconds(at);
            of.Stats = new MachineStats(TimeSpan.FromSeconds(cpuSeconds), 0, 0, 0);
            await sampler.SampleAsync(TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=200&to=100", "from")]
    [InlineData("to=soon", "to")]
    [InlineData("step=0", "step")]
    [InlineData("step=abc", "step")]
    [InlineData("from=0&step=60", "step")]
    public async Task A_query_that_makes_no_sense_is_400_and_named(string query, string name)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, _) = await server.ComputerAsync();

        (await server.GetAsync($"/api/computers/{id}/metrics?{query}")).ExpectError(400, ErrorCodes.InvalidField, name);
    }

    [Fact]
    public void A_day_is_kept_in_minutes_and_an_hour_in_tens_of_seconds()
    {
        var history = new UsageHistory();
        for (var second = 0L; second < 2 * 86_400; second += 10)
        {
            history.Add(new Usage(second * 1000, (second + 10) * 1000, 5, 0, 100, 0, 7, 0, 0, 0));
        }

        var (fine, coarse) = (history.Of(0, long.MaxValue, fine: true), history.Of(0, long.MaxValue, fine: false));

        Assert.InRange(fine.Count, 360, 362);
        Assert.InRange(coarse.Count, 1439, 1450);
        Assert.All(coarse.Take(1400), minute => Assert.Equal((60, 30, 600, 7), (minute.Seconds, minute.CpuSeconds, minute.ReceivedBytes, minute.Memory)));
    }
}
