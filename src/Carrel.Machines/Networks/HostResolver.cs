using System.Net;
using Carrel.Contracts;

namespace Carrel.Machines.Networks;

/// <summary>Finds the DNS server that computers' queries are translated to.</summary>
internal static class HostResolver
{
    /// <summary>The configured server, else the host's first IPv4 one that is not on loopback.</summary>
    internal static Outcome<string> Find(string? configured)
    {
        if (configured is not null)
        {
            return IPAddress.TryParse(configured, out _)
                ? configured
                : new Failure(ErrorCodes.HostNotReady, $"The DNS server '{configured}' is no IP address.", "Correct CARREL_DNS.");
        }

        // Behind systemd-resolved, /etc/resolv.conf names its loopback stub; the real servers stand in the second file.
        foreach (var file in (string[])["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"])
        {
            if (File.Exists(file) && FirstUsable(File.ReadLines(file)) is { } server)
            {
                return server;
            }
        }

        return new Failure(
            ErrorCodes.HostNotReady,
            "The host has no DNS server that computers could reach: /etc/resolv.conf names only loopback addresses.",
            "Set CARREL_DNS to the address of a DNS server.");
    }

    internal static string? FirstUsable(IEnumerable<string> resolvConf) => resolvConf
        .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words is ["nameserver", _, ..])
        .Select(words => words[1])
        .FirstOrDefault(text => IPAddress.TryParse(text, out var address)
            && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
}
