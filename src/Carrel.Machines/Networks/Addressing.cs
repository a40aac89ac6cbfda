using System.Net;

namespace Carrel.Machines.Networks;

/// <summary>The addresses and names of a slot. Inside, every computer has the same address.</summary>
internal static class Addressing
{
    /// <summary>The address every computer has inside.</summary>
    internal const string Inside = "10.77.0.2";

    /// <summary>Its gateway, which also answers DNS.</summary>
    internal const string Gateway = "10.77.0.1";

    internal const int InsidePrefix = 24;

    /// <summary>Host-side addresses: the benchmarking range (RFC 2544), which no real network routes.</summary>
    internal const string HostSideRange = "198.18.0.0/15";

    /// <summary>What no computer reaches unless allowed: this host's side, private and special ranges.</summary>
    internal static readonly IReadOnlyList<string> PrivateRanges =
    [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        HostSideRange, "224.0.0.0/4", "240.0.0.0/4",
    ];

    /// <summary>The address under which the host knows the computer in a slot.</summary>
    internal static IPAddress HostSide(int slot)
    {
        var number = (198u << 24 | 18u << 16) + 1 + (uint)slot;
        return new IPAddress([(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number]);
    }

    /// <summary>Host end of the slot's veth pair. At most 15 characters.</summary>
    internal static string Interface(int slot) => $"cr{slot}";

    internal static string SlotTable(int slot) => $"carrel_slot_{slot}";

    internal static string InstallationTable(string installation) => $"carrel_{installation}";

    /// <summary>Locally administered, stable per slot.</summary>
    internal static string Mac(int slot) => $"02:63:72:{slot >> 16 & 0xff:x2}:{slot >> 8 & 0xff:x2}:{slot & 0xff:x2}";

    internal static string HostMac(int slot) => $"06:63:72:{slot >> 16 & 0xff:x2}:{slot >> 8 & 0xff:x2}:{slot & 0xff:x2}";
}
