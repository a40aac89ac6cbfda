using System.Buffers.Binary;
using System.IO.Compression;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Carrel.Testbed;

namespace Carrel.EndToEnd.Live;

/// <summary>
/// As much of a VNC viewer as the clipboard needs: RFB 3.8 with its password over the public socket, and either the plain cut
/// text (Latin-1) or the extended clipboard (UTF-8, zlib), as noVNC and TigerVNC's viewer speak it.
/// </summary>
internal sealed class VncClient : IDisposable
{
    private const byte CutText = 3;
    private const byte ClientCutText = 6;
    private const int ExtendedClipboard = unchecked((int)0xc0a1e5ce);
    private const uint Text = 1;
    private const uint Caps = 1 << 24;
    private const uint Request = 1 << 25;
    private const uint Notify = 1 << 27;
    private const uint Provide = 1 << 28;
    private readonly ClientWebSocket _socket = new();
    private readonly MemoryStream _ahead = new();
    private bool _extended;

    public static async Task<VncClient> ConnectAsync(Installation installation, Computer computer, bool extended)
    {
        var client = new VncClient();
        var password = computer.Created["vnc_password"]!.GetValue<string>();
        await client._socket.ConnectAsync(new Uri($"ws://{installation.Address.Authority}/desktops/{computer.InstanceId}/ws/websockify?token={password}"), default);
        await client.ReadAsync(12);
        await client.WriteAsync("RFB 003.008\n"u8.ToArray());
        await client.ReadAsync((await client.ReadAsync(1))[0]);
        await client.WriteAsync([2]);
        await client.WriteAsync(Answer(await client.ReadAsync(16), password));
        if (BinaryPrimitives.ReadUInt32BigEndian(await client.ReadAsync(4)) != 0)
        {
            throw new UnexpectedAnswerException("the VNC server refused the password");
        }

        await client.WriteAsync([1]);
        var init = await client.ReadAsync(24);
        await client.ReadAsync(BinaryPrimitives.ReadInt32BigEndian(init.AsSpan(20)));
        if (extended)
        {
            await client.WriteAsync([2, 0, 0, 1, .. Big(ExtendedClipboard)]);
            await client.ServerTextAsync(flags => (flags & Caps) != 0);
            await client.WriteAsync([ClientCutText, 0, 0, 0, .. Big(-8), .. Big((int)(Caps | Request | Notify | Provide | Text)), .. Big(1 << 20)]);
            client._extended = true;
        }

        return client;
    }

    /// <summary>What a person copied on the viewer's side. Comes back when the server has it, or knows where to fetch it.</summary>
    public async Task CopyAsync(string text)
    {
        if (!_extended)
        {
            var latin = Encoding.Latin1.GetBytes(text);
            await WriteAsync([ClientCutText, 0, 0, 0, .. Big(latin.Length), .. latin]);
            return;
        }

        await WriteAsync([ClientCutText, 0, 0, 0, .. Big(-4), .. Big((int)(Notify | Text))]);
        await ServerTextAsync(flags => (flags & Request) != 0);
        using var zlib = new MemoryStream();
        using (var deflate = new ZLibStream(zlib, CompressionLevel.Fastest, leaveOpen: true))
        {
            var bytes = Encoding.UTF8.GetBytes(text + "\0");
            deflate.Write(Big(bytes.Length));
            deflate.Write(bytes);
        }

        await WriteAsync([ClientCutText, 0, 0, 0, .. Big(-4 - (int)zlib.Length), .. Big((int)(Provide | Text)), .. zlib.ToArray()]);
    }

    /// <summary>What was copied in the computer next.</summary>
    public async Task<string> PastedAsync()
    {
        if (!_extended)
        {
            return Encoding.Latin1.GetString((await ServerTextAsync(flags => flags == 0)).Payload);
        }

        uint flags;
        byte[] compressed;
        do
        {
            (flags, compressed) = await ServerTextAsync(flags => (flags & (Provide | Notify)) != 0);
            if ((flags & (Notify | Text)) == (Notify | Text))
            {
                // Asked again at each, since a text that was replaced before it was fetched is never sent.
                await WriteAsync([ClientCutText, 0, 0, 0, .. Big(-4), .. Big((int)(Request | Text))]);
            }
        }
        while ((flags & Provide) == 0);

        using var inflate = new ZLibStream(new MemoryStream(compressed), CompressionMode.Decompress);
        var length = new byte[4];
        inflate.ReadExactly(length);
        var bytes = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        inflate.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes).TrimEnd('\0');
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The next cut text of the server with flags that are wanted; plain text has none.</summary>
    private async Task<(uint Flags, byte[] Payload)> ServerTextAsync(Func<uint, bool> wanted)
    {
        while (true)
        {
            var type = (await ReadAsync(1))[0];
            if (type == 2)
            {
                continue; // A bell.
            }

            if (type != CutText)
            {
                throw new UnexpectedAnswerException($"message {type} of the VNC server was not expected");
            }

            await ReadAsync(3);
            var length = BinaryPrimitives.ReadInt32BigEndian(await ReadAsync(4));
            var (flags, rest) = length < 0
                ? (BinaryPrimitives.ReadUInt32BigEndian(await ReadAsync(4)), await ReadAsync(-length - 4))
                : (0, await ReadAsync(length));
            if (wanted(flags))
            {
                return (flags, rest);
            }
        }
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[64 * 1024];
        while (_ahead.Length - _ahead.Position < count)
        {
            var read = await _socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            if (read.MessageType == WebSocketMessageType.Close)
            {
                throw new UnexpectedAnswerException($"the socket was closed with {_socket.CloseStatus}");
            }

            var at = _ahead.Position;
            _ahead.Seek(0, SeekOrigin.End);
            _ahead.Write(buffer, 0, read.Count);
            _ahead.Position = at;
        }

        var bytes = new byte[count];
        _ahead.ReadExactly(bytes);
        return bytes;
    }

    private Task WriteAsync(byte[] bytes) => _socket.SendAsync(bytes, WebSocketMessageType.Binary, true, default);

    private static byte[] Big(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    /// <summary>VNC authentication: DES with the bits of each byte of the password reversed.</summary>
    private static byte[] Answer(byte[] challenge, string password)
    {
        var key = new byte[8];
        Encoding.ASCII.GetBytes(password.AsSpan(0, Math.Min(8, password.Length)), key);
        for (var i = 0; i < key.Length; i++)
        {
            key[i] = (byte)Enumerable.Range(0, 8).Sum(bit => ((key[i] >> bit) & 1) << (7 - bit));
        }

        // What RFB asks for.
#pragma warning disable CA5351
        using var des = DES.Create();
#pragma warning restore CA5351
        des.Key = key;
        return des.EncryptEcb(challenge, PaddingMode.None);
    }
}
