using Carrel.Deskd.X11;

namespace Carrel.Deskd.Readiness;

/// <summary>The names by which window managers and desktops make themselves known (Extended Window Manager Hints).</summary>
internal sealed record DesktopAtoms(uint SupportingWmCheck, uint ClientList, uint WindowType, uint Dock, uint Desktop)
{
    public static async Task<DesktopAtoms> InternAsync(XConnection connection)
    {
        var atoms = await Task.WhenAll(
            connection.AtomAsync("_NET_SUPPORTING_WM_CHECK"),
            connection.AtomAsync("_NET_CLIENT_LIST"),
            connection.AtomAsync("_NET_WM_WINDOW_TYPE"),
            connection.AtomAsync("_NET_WM_WINDOW_TYPE_DOCK"),
            connection.AtomAsync("_NET_WM_WINDOW_TYPE_DESKTOP"));
        return new DesktopAtoms(atoms[0], atoms[1], atoms[2], atoms[3], atoms[4]);
    }
}
