using System.Globalization;
using Carrel.Contracts;
using Carrel.Machines.Processes;
using Carrel.Machines.Slots;

namespace Carrel.Machines.Networks;

/// <summary>
/// A slot's limit each way: a token bucket at either end of its veth pair, each of which holds back what leaves it. A guest has no
/// capability over its network, so it cannot take its end away.
/// </summary>
internal static class Bandwidth
{
    /// <summary>Bytes that may go at once: five milliseconds' worth, and room for one large segment.</summary>
    internal static long BurstOf(int mbps) => Math.Max(65_536, mbps * 1_000_000L / 8 / 200);

    /// <param name="mbps">0 takes the limit away. Setting what is set already changes nothing.</param>
    internal static async Task<Failure?> SetAsync(Slot slot, int mbps)
    {
        var ends = await Task.WhenAll(
            ProcessRunner.TryAsync(Command(Addressing.Interface(slot.Number), mbps)),
            ProcessRunner.TryAsync(["nsenter", $"--net={slot.NetworkNamespace}", .. Command("eth0", mbps)])).ConfigureAwait(false);
        return ends.OfType<Failure>().FirstOrDefault();
    }

    private static string[] Command(string device, int mbps) => mbps == 0
        ? ["tc", "qdisc", "replace", "dev", device, "root", "noqueue"]
        :
        [
            "tc", "qdisc", "replace", "dev", device, "root", "tbf",
            "rate", string.Create(CultureInfo.InvariantCulture, $"{mbps}mbit"),
            "burst", string.Create(CultureInfo.InvariantCulture, $"{BurstOf(mbps)}"),
            "latency", "200ms",
        ];
}
