namespace Carrel.Deskd.Screens;

/// <summary>How screens are added.</summary>
/// <param name="FirstDisplay">Display number of the first of them.</param>
/// <param name="WindowManager">Program and arguments; empty for none.</param>
/// <param name="RunFolder">Where the RFB password is, and their RFB sockets go.</param>
internal sealed record ExtraScreenSettings(int FirstDisplay, string[] WindowManager, string RunFolder)
{
    public string PasswordFile => Path.Combine(RunFolder, "vncpasswd");

    public string VncSocket(int display) => Path.Combine(RunFolder, $"vnc-{display}.sock");
}
