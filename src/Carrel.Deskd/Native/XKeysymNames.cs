using System.Runtime.InteropServices;

namespace Carrel.Deskd.Native;

/// <summary>libX11's table of keysym names, used without a display. Loaded only when a name is not one of ours.</summary>
internal static partial class XKeysymNames
{
    [LibraryImport("libX11.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nuint XStringToKeysym(string name);

    /// <summary>The keysym of an X11 name such as <c>XF86AudioMute</c>, or 0. Names are case sensitive.</summary>
    public static uint Find(string name) => (uint)XStringToKeysym(name);
}
