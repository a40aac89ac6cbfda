namespace Carrel.Deskd.X11;

/// <summary>The server refused a request: a bug of ours, or a window that went away meanwhile.</summary>
internal sealed class XRequestException(byte code, byte major, ushort minor)
    : Exception($"the X server answered request {major}.{minor} with error {code}")
{
    /// <summary>The core protocol's error code: 3 is Window, 9 is Drawable.</summary>
    public byte Code { get; } = code;
}

/// <summary>The connection to the X server is gone. Mapped to <c>desktop_unreachable</c> in one place.</summary>
internal sealed class XDisconnectedException(string message, Exception? inner = null) : Exception(message, inner);
