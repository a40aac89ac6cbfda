using Carrel.Contracts;
using Carrel.Machines.Container;
using Carrel.Machines.Native;

namespace Carrel.Machines;

/// <summary>Opens the isolations this host offers.</summary>
public static class MachineHosts
{
    /// <summary>
    /// Opens the container isolation: prepares forwarding and firewall rules, and clears what a crash left of its slots.
    /// Fails with <see cref="ErrorCodes.HostNotReady"/> where the host lacks something, saying what and the remedy.
    /// </summary>
    public static async Task<Outcome<IMachineHost>> OpenContainersAsync(MachineOptions options, TimeProvider time)
    {
        try
        {
            return await ContainerHost.CreateAsync(options, time).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            return HostFailure.Of(e) with { Code = ErrorCodes.HostNotReady };
        }
    }
}
