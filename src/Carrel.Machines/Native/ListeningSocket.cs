using System.Text;

namespace Carrel.Machines.Native;

/// <summary>
/// Makes a listening unix socket to hand to a machine. Not <see cref="System.Net.Sockets.Socket"/>: disposing that would
/// delete the path, but the host closes its own descriptor while the guest's copy goes on listening.
/// </summary>
internal static unsafe class ListeningSocket
{
    private const int MaxPath = 107;

    internal static Fd Create(string path)
    {
        const int Unix = 1, Stream = 1, CloseOnExec = 0x80000;
        var bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length > MaxPath)
        {
            throw new PathTooLongException($"a socket's path has at most {MaxPath} bytes: {path}");
        }

        var socket = new Fd(Errno.Check(Libc.Socket(Unix, Stream | CloseOnExec, 0), "make a unix socket"));
        var address = stackalloc byte[2 + MaxPath + 1];
        new Span<byte>(address, 2 + MaxPath + 1).Clear();
        *(ushort*)address = Unix;
        bytes.CopyTo(new Span<byte>(address + 2, MaxPath));
        Errno.Check(Libc.Bind(socket.Value, address, (uint)(2 + bytes.Length + 1)), $"bind {path}");
        // Connections made before the service is up wait here.
        Errno.Check(Libc.Listen(socket.Value, 1024), $"listen on {path}");
        return socket;
    }
}
