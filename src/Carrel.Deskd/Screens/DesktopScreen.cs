using Carrel.Deskd.Input;
using Carrel.Deskd.Screen;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screens;

/// <summary>One screen with all that looks at it and acts on it: its X server has its own cursor, keyboard and clipboard.</summary>
internal sealed class DesktopScreen(string id, DisplayLink link, TimeProvider time) : IDisposable
{
    public string Id => id;

    public DisplayLink Link => link;

    public bool IsDefault => id == ScreenSet.DefaultId;

    /// <summary>Where its RFB server listens; null for the first screen, whose socket the host made.</summary>
    public string? VncSocket { get; init; }

    /// <summary>The display, which is not there while its X server is away.</summary>
    /// <exception cref="XDisconnectedException">There is no X server.</exception>
    public XDisplay Display => link.Current ?? throw new XDisconnectedException("there is no X server");

    public InputDesk Desk { get; } = new(link, time);

    public Camera Camera { get; } = new(new ScreenCapture());

    public void Dispose() => Desk.Dispose();
}
