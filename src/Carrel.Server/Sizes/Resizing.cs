using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.State;

namespace Carrel.Server.Sizes;

/// <summary>What a resize came to.</summary>
/// <param name="Results">By the dimension's name on the wire; empty where none was asked for.</param>
internal sealed record Resized(ComputerRecord Record, IReadOnlyDictionary<string, ResizeResult> Results);

/// <summary>
/// Resizes running computers, one at a time each: in the computer's mailbox, first the world, dimension by dimension, then the
/// database, then memory. A server that dies in between told nobody; the next one reads from the host what is in force.
/// </summary>
internal sealed partial class Resizing(ComputerStore store, SureWrites sure, Guard guard, ILogger<Resizing> log)
{
    private const long GiB = 1L << 30;
    private const int MiBPerGiB = 1024;

    public Task<Outcome<Resized>> RunAsync(Computer computer, NewSize wanted) => computer.Post(async () =>
        computer.State.Usable is { } session
            ? (Outcome<Resized>)await ApplyAsync(computer, session.Machine, wanted)
            : ComputerLookup.NotRunning(computer));

    /// <summary>The record with the size its machine really has: a resize may have been cut off by the end of a server.</summary>
    public async Task<ComputerRecord> AsFoundAsync(ComputerRecord record, IMachine machine)
    {
        var limits = machine.ReadLimits();
        var hardware = record.Hardware;
        var found = record with
        {
            Hardware = hardware with
            {
                Cpu = limits.Cpus ?? hardware.Cpu,
                RamGb = (int)((limits.MemoryBytes / GiB) ?? hardware.RamGb),
                DiskGb = (int)((limits.DiskBytes / GiB) ?? hardware.DiskGb),
            },
            BandwidthMbps = limits.BandwidthMbps ?? record.BandwidthMbps,
        };
        if (found != record)
        {
            Found(log, record.InstanceId, Sizes(record), Sizes(found));
            await store.ResizedAsync(found);
        }

        return found;
    }

    private async Task<Resized> ApplyAsync(Computer computer, IMachine machine, NewSize wanted)
    {
        var record = computer.State.Record;
        var results = new Dictionary<string, ResizeResult>();

        async Task TryAsync<T>(string name, T? asked, T now, int unit, MachineLimits limits, Func<ComputerRecord, T, ComputerRecord> with)
            where T : struct
        {
            if (asked is not { } value)
            {
                return;
            }

            // What was applied before a bug is not forgotten for it.
            var done = await guard.RunAsync(machine.Id, () => machine.ResizeAsync(limits, CancellationToken.None));
            if (done.Succeeded)
            {
                record = with(record, value);
            }

            var (requested, applied) = (In(value, unit), In(done.Succeeded ? value : now, unit));
            results[name] = new ResizeResult(requested, applied, done.Succeeded, done.Failure?.Message);
        }

        var (cpu, ram, disk, _) = record.Hardware;
        await TryAsync("vcpus", wanted.Vcpus, cpu, 1, new MachineLimits(Cpus: wanted.Vcpus), (to, value) => to with { Hardware = to.Hardware with { Cpu = value } });
        await TryAsync(
            "mem_mb", wanted.MemGb, ram, MiBPerGiB, new MachineLimits(MemoryBytes: wanted.MemGb * GiB), (to, value) => to with { Hardware = to.Hardware with { RamGb = value } });
        if (wanted.DiskGb < disk)
        {
            results["disk_gb"] = new ResizeResult(wanted.DiskGb.Value, disk, Ok: false, $"The disk has {disk} GB and cannot shrink.");
        }
        else
        {
            await TryAsync(
                "disk_gb", wanted.DiskGb, disk, 1, new MachineLimits(DiskBytes: wanted.DiskGb * GiB), (to, value) => to with { Hardware = to.Hardware with { DiskGb = value } });
        }

        await TryAsync(
            "bandwidth_limit_mbps", wanted.BandwidthMbps, record.BandwidthMbps, 1, new MachineLimits(BandwidthMbps: wanted.BandwidthMbps), (to, value) => to with { BandwidthMbps = value });
        record = record with { AutoStopMinutes = wanted.AutoStopMinutes ?? record.AutoStopMinutes };
        await sure.RunAsync(() => store.ResizedAsync(record));
        computer.Change(now => now with { Hardware = record.Hardware, BandwidthMbps = record.BandwidthMbps, AutoStopMinutes = record.AutoStopMinutes });
        return new Resized(record, results);
    }

    private static double In<T>(T value, int unit)
        where T : struct => Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture) * unit;

    private static string Sizes(ComputerRecord record) =>
        $"{record.Hardware.Cpu} CPUs, {record.Hardware.RamGb} GB, disk {record.Hardware.DiskGb} GB, {record.BandwidthMbps} Mbit/s";

    [LoggerMessage(1700, LogLevel.Warning, "Computer {Instance}: a resize was cut off; it was recorded as {Before} and has {Now}")]
    private static partial void Found(ILogger log, string instance, string before, string now);
}
