using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Carrel.Testbed;

/// <summary>A VNC client of our own (RFB 3.8): reads pixels as they are, or only counts what comes compressed.</summary>
public sealed class RfbClient : IAsyncDisposable
{
    private const int Raw = 0;
    private const int CopyRect = 1;
    private const int Zrle = 16;
    private readonly Stream _stream;
    private byte[] _pixels = [];

    private RfbClient(Stream stream) => _stream = stream;

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Bytes of pictures that came.</summary>
    public long Received { get; private set; }

    public (byte R, byte G, byte B) this[int x, int y]
    {
        get
        {
            var at = ((y * Width) + x) * 4;
            return (_pixels[at + 2], _pixels[at + 1], _pixels[at]);
        }
    }

    /// <summary>Connects to a computer's socket as a browser does.</summary>
    public static async Task<RfbClient> ConnectAsync(Uri server, string id, string token, string password, bool compressed = false, string query = "")
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("binary");
        await socket.ConnectAsync(new Uri($"ws://{server.Authority}/desktops/{id}/ws/websockify?token={token}{query}"), default);
        return await ConnectAsync(WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true), password, compressed);
    }

    /// <param name="password">Null where the server wants none.</param>
    public static async Task<RfbClient> ConnectAsync(Stream stream, string? password, bool compressed = false)
    {
        var client = new RfbClient(stream);
        await client.ReadAsync(12);
        await stream.WriteAsync("RFB 003.008\n"u8.ToArray());
        var types = await client.ReadAsync((await client.ReadAsync(1))[0]);
        byte type = password is null ? (byte)1 : (byte)2;
        if (!types.Contains(type))
        {
            throw new UnexpectedAnswerException($"the VNC server offers the security types {string.Join(", ", types)}, not {type}");
        }

        await stream.WriteAsync(new[] { type });
        if (password is not null)
        {
            await stream.WriteAsync(Answer(await client.ReadAsync(16), password));
        }

        if (BinaryPrimitives.ReadUInt32BigEndian(await client.ReadAsync(4)) != 0)
        {
            throw new UnexpectedAnswerException("the VNC server refused the password");
        }

        await stream.WriteAsync(new byte[] { 1 });
        var init = await client.ReadAsync(24);
        client.Width = BinaryPrimitives.ReadUInt16BigEndian(init);
        client.Height = BinaryPrimitives.ReadUInt16BigEndian(init.AsSpan(2));
        await client.ReadAsync((int)BinaryPrimitives.ReadUInt32BigEndian(init.AsSpan(20)));
        client._pixels = new byte[client.Width * client.Height * 4];

        // 32 bits, depth 24, little endian, true colour, 255 each, shifts 16, 8 and 0.
        await stream.WriteAsync(new byte[] { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0 });
        await stream.WriteAsync(compressed
            ? new byte[] { 2, 0, 0, 2, 0, 0, 0, CopyRect, 0, 0, 0, Zrle }
            : new byte[] { 2, 0, 0, 1, 0, 0, 0, Raw });
        return client;
    }

    /// <summary>Asks for the whole screen, or for what changes.</summary>
    public ValueTask RequestAsync(bool incremental)
    {
        var request = new byte[10];
        (request[0], request[1]) = (3, incremental ? (byte)1 : (byte)0);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), (ushort)Width);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(8), (ushort)Height);
        return _stream.WriteAsync(request);
    }

    /// <summary>Reads up to the end of the next update.</summary>
    public async Task ReadUpdateAsync()
    {
        while (true)
        {
            switch ((await ReadAsync(1))[0])
            {
                case 0:
                    await ReadRectanglesAsync();
                    return;
                case 2:
                    break;
                case 3:
                    await ReadAsync((int)BinaryPrimitives.ReadUInt32BigEndian((await ReadAsync(7)).AsSpan(3)));
                    break;
                case var type:
                    throw new UnexpectedAnswerException($"an RFB message of type {type}");
            }
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task ReadRectanglesAsync()
    {
        var count = BinaryPrimitives.ReadUInt16BigEndian((await ReadAsync(3)).AsSpan(1));
        for (var i = 0; i < count; i++)
        {
            var head = await ReadAsync(12);
            var (x, y) = (BinaryPrimitives.ReadUInt16BigEndian(head), BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(2)));
            var (width, height) = (BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(4)), BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(6)));
            switch (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(8)))
            {
                case Raw:
                    var pixels = await ReadAsync(width * height * 4);
                    for (var line = 0; line < height; line++)
                    {
                        pixels.AsSpan(line * width * 4, width * 4).CopyTo(_pixels.AsSpan((((y + line) * Width) + x) * 4));
                    }

                    Received += pixels.Length;
                    break;
                case CopyRect:
                    await ReadAsync(4);
                    break;
                case Zrle:
                    var length = (int)BinaryPrimitives.ReadUInt32BigEndian(await ReadAsync(4));
                    await ReadAsync(length);
                    Received += length;
                    break;
                case var encoding:
                    throw new UnexpectedAnswerException($"an RFB rectangle in encoding {encoding}");
            }
        }
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    /// <summary>VNC authentication: DES under the password, with the bits of each of its bytes in reverse order.</summary>
    private static byte[] Answer(byte[] challenge, string password)
    {
        var key = new byte[8];
        Encoding.ASCII.GetBytes(password.AsSpan(0, Math.Min(8, password.Length)), key);
        for (var i = 0; i < key.Length; i++)
        {
            key[i] = (byte)Enumerable.Range(0, 8).Sum(bit => ((key[i] >> bit) & 1) << (7 - bit));
        }

#pragma warning disable CA5351 // The protocol's own.
        using var des = DES.Create();
#pragma warning restore CA5351
        des.Key = key;
        return des.EncryptEcb(challenge, PaddingMode.None);
    }
}
