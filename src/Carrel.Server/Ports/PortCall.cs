namespace Carrel.Server.Ports;

/// <summary>A request to a port: which, and what of it.</summary>
/// <param name="Id">The computer as the request names it.</param>
/// <param name="Prefix">What stands before the port's own path in ours: empty where the port has an origin of its own.</param>
/// <param name="Target">The port's own path, as it came: escapes are the port's business.</param>
internal sealed record PortCall(string Id, int Port, string Prefix, string Target)
{
    /// <summary>The port has an origin of its own, so its pages can do nothing to ours.</summary>
    public bool OwnOrigin => Prefix.Length == 0;

    /// <summary>Where cookies of this port belong.</summary>
    public string CookiePath => Prefix + "/";
}
