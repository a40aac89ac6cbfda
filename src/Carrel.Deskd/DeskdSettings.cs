using System.Globalization;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.X11;

namespace Carrel.Deskd;

/// <summary>Where deskd finds its surroundings. The defaults are a computer's; tests and benchmarks have their own.</summary>
/// <param name="ListenFd">The host's listening socket.</param>
/// <param name="TcpPort">Port of the in-computer API, or 0 for none.</param>
internal sealed record DeskdSettings(
    int Display, int ListenFd, int TcpPort, string RunFolder, string MachineIdFile, bool SetsHostName)
{
    /// <summary>Display number of the first screen that is added.</summary>
    public int FirstExtraDisplay { get; init; } = 100;

    /// <summary>Program and arguments of the window manager of screens that are added; empty for none.</summary>
    public string[] WindowManager { get; init; } = ["/usr/bin/xfwm4", "--sm-client-disable", "--compositor=off"];

    /// <summary>Where PulseAudio listens.</summary>
    public string PulseSocket { get; init; } = "/run/user/0/pulse/native";

    /// <summary>What <c>~</c> means, and where the desktop's files are.</summary>
    public string Home { get; init; } = "/root";
    /// <summary>On the computer's own disk: what outlives a stop, such as a recording that is not finished.</summary>
    public string StateFolder { get; init; } = "/var/lib/carrel";

    public static DeskdSettings FromEnvironment() => new(
        XSocket.Number(Environment.GetEnvironmentVariable("DISPLAY") is { Length: > 0 } display ? display : ":99"),
        DeskdProtocol.DeskdListenFd,
        Environment.GetEnvironmentVariable("CARREL_DESKD_PORT") is { Length: > 0 } port
            ? int.Parse(port, CultureInfo.InvariantCulture)
            : DeskdProtocol.TcpPort,
        Environment.GetEnvironmentVariable("CARREL_RUN") ?? "/run/carrel",
        Environment.GetEnvironmentVariable("CARREL_MACHINE_ID") ?? "/etc/machine-id",
        Environment.GetEnvironmentVariable("CARREL_KEEP_HOST_NAME") is null)
    {
        PulseSocket = Environment.GetEnvironmentVariable("PULSE_SERVER") is { } server && server.StartsWith("unix:/", StringComparison.Ordinal)
            ? server["unix:".Length..]
            : "/run/user/0/pulse/native",
        StateFolder = Environment.GetEnvironmentVariable("CARREL_STATE") ?? "/var/lib/carrel",
    };
}
