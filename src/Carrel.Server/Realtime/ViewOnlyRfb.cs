using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace Carrel.Server.Realtime;

/// <summary>
/// A VNC server as somebody sees it who may look and touch nothing (RFC 6143). The password is answered here, since it would open everything;
/// the viewer is offered a connection without one. Of what the viewer sends, only what asks for pictures goes on: keys, pointer, clipboard and
/// sizes of the screen are dropped, and what is not known ends the connection, because its length is not known either.
/// </summary>
internal sealed class ViewOnlyRfb : Stream
{
    private const int VersionBytes = 12;
    private const int MostEncodings = 1024;
    private const int MostCutText = 1 << 20;
    private const int MostScreens = 255;
    private static readonly byte[] Version = Encoding.ASCII.GetBytes("RFB 003.008\n");
    private readonly Stream _server;

    /// <summary>What the viewer is told before the server's own words reach it.</summary>
    private readonly Pipe _greeting = new();

    private readonly List<byte> _pending = [];
    private Phase _phase = Phase.Version;
    private long _skip;
    private bool _isGreeted;

    private ViewOnlyRfb(Stream server) => _server = server;

    private enum Phase
    {
        Version,
        Security,
        ClientInit,
        Messages,
    }

    /// <summary>Gets past the server's password.</summary>
    /// <exception cref="IOException">The server speaks otherwise, or does not take the password.</exception>
    public static async Task<ViewOnlyRfb> OpenAsync(Stream server, string password, CancellationToken cancellationToken)
    {
        var buffer = new byte[256];
        await server.ReadExactlyAsync(buffer.AsMemory(0, VersionBytes), cancellationToken);
        await server.WriteAsync(Version, cancellationToken);
        await server.ReadExactlyAsync(buffer.AsMemory(0, 1), cancellationToken);
        var types = buffer[0];
        await server.ReadExactlyAsync(buffer.AsMemory(0, types), cancellationToken);
        const byte VncAuth = 2;
        if (!buffer.AsSpan(0, types).Contains(VncAuth))
        {
            throw new IOException("the VNC server does not ask for a password");
        }

        await server.WriteAsync(new[] { VncAuth }, cancellationToken);
        await server.ReadExactlyAsync(buffer.AsMemory(0, 16), cancellationToken);
        await server.WriteAsync(Answer(buffer.AsSpan(0, 16), password), cancellationToken);
        await server.ReadExactlyAsync(buffer.AsMemory(0, 4), cancellationToken);
        if (BinaryPrimitives.ReadUInt32BigEndian(buffer) != 0)
        {
            throw new IOException("the VNC server does not take the password");
        }

        var made = new ViewOnlyRfb(server);
        await made._greeting.Writer.WriteAsync(Version, cancellationToken);
        return made;
    }

    /// <summary>First the greeting, then what the server says.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isGreeted)
        {
            return await _server.ReadAsync(buffer, cancellationToken);
        }

        var read = await _greeting.Reader.ReadAsync(cancellationToken);
        var length = (int)Math.Min(read.Buffer.Length, buffer.Length);
        read.Buffer.Slice(0, length).CopyTo(buffer.Span);
        _greeting.Reader.AdvanceTo(read.Buffer.GetPosition(length));
        if (length > 0)
        {
            return length;
        }

        _isGreeted = true; // The greeting is complete, and read.
        return await _server.ReadAsync(buffer, cancellationToken);
    }

    /// <summary>Takes what the viewer sends, in pieces of any size, and passes on what it may send.</summary>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            if (_skip > 0)
            {
                var skipped = (int)Math.Min(_skip, buffer.Length);
                (_skip, buffer) = (_skip - skipped, buffer[skipped..]);
                continue;
            }

            // Messages are short, but for the clipboard's, which are skipped: so they are taken a byte at a time until they are whole.
            _pending.Add(buffer.Span[0]);
            buffer = buffer[1..];
            await StepAsync(cancellationToken);
        }

        await _server.FlushAsync(cancellationToken);
    }

    private async ValueTask StepAsync(CancellationToken cancellationToken)
    {
        switch (_phase)
        {
            case Phase.Version when _pending.Count == VersionBytes:
                if (!Encoding.ASCII.GetString([.. _pending]).StartsWith("RFB 003.008", StringComparison.Ordinal))
                {
                    throw new IOException("the viewer speaks an older RFB than 3.8");
                }

                await GreetAsync(Phase.Security, [1, 1], cancellationToken); // One way to log in: none.
                break;
            case Phase.Security:
                await GreetAsync(Phase.ClientInit, [0, 0, 0, 0], cancellationToken); // It is in.
                break;
            case Phase.ClientInit:
                await _server.WriteAsync(new byte[] { 1 }, cancellationToken); // Shared: who only looks ends nobody else's connection.
                await GreetAsync(Phase.Messages, [], cancellationToken);
                await _greeting.Writer.CompleteAsync();
                break;
            case Phase.Messages when Whole() is var (length, passes):
                if (_pending.Count < length)
                {
                    _skip = length - _pending.Count;
                    _pending.Clear();
                }
                else if (_pending.Count == length)
                {
                    if (passes)
                    {
                        await _server.WriteAsync(_pending.ToArray(), cancellationToken);
                    }

                    _pending.Clear();
                }

                break;
        }
    }

    private async ValueTask GreetAsync(Phase next, byte[] words, CancellationToken cancellationToken)
    {
        _pending.Clear();
        _phase = next;
        await _greeting.Writer.WriteAsync(words, cancellationToken);
    }

    /// <summary>Length of the message that has begun, and whether it goes on to the server; null until that can be told, or until a message that goes on is whole.</summary>
    private (long Length, bool Passes)? Whole()
    {
        var (length, passes) = _pending[0] switch
        {
            0 => (20L, true), // SetPixelFormat
            2 when _pending.Count >= 4 => (4 + (4L * Limited(Short(2), MostEncodings)), true), // SetEncodings
            3 => (10, true), // FramebufferUpdateRequest
            4 => (8, false), // KeyEvent
            5 => (6, false), // PointerEvent
            6 when _pending.Count >= 8 => (8 + Limited(Math.Abs((long)Int(4)), MostCutText), false), // ClientCutText; negative in its extended form
            150 => (10, true), // EnableContinuousUpdates
            248 when _pending.Count >= 9 => (9L + Limited(_pending[8], 64), true), // ClientFence
            250 => (4, false), // xvp
            251 when _pending.Count >= 8 => (8 + (16L * Limited(_pending[6], MostScreens)), false), // SetDesktopSize
            255 when _pending.Count >= 2 => (_pending[1] == 0 ? 12 : throw Unknown(255), false), // QEMU's extended KeyEvent
            2 or 6 or 248 or 251 or 255 => (long.MaxValue, true),
            var other => throw Unknown(other),
        };
        return length == long.MaxValue || (passes && _pending.Count < length) ? null : (length, passes);
    }

    private static long Limited(long value, long most) => value <= most ? value : throw new IOException("the viewer sent a message longer than it may be");

    private int Short(int at) => (_pending[at] << 8) | _pending[at + 1];

    private int Int(int at) => (Short(at) << 16) | Short(at + 2);

    private static IOException Unknown(int type) => new($"the viewer sent a message of type {type}, which viewers of this kind do not send");

    /// <summary>VNC's own way to show that one knows the password: DES, with the bits of each byte the other way around.</summary>
    private static byte[] Answer(ReadOnlySpan<byte> challenge, string password)
    {
        var key = new byte[8];
        Encoding.ASCII.GetBytes(password.AsSpan(0, Math.Min(8, password.Length)), key);
        for (var index = 0; index < key.Length; index++)
        {
            var turned = 0;
            for (var bit = 0; bit < 8; bit++)
            {
                turned |= ((key[index] >> bit) & 1) << (7 - bit);
            }

            key[index] = (byte)turned;
        }

#pragma warning disable CA5351 // What the protocol prescribes, on a socket inside this host.
        using var des = DES.Create();
#pragma warning restore CA5351
        des.Key = key;
        return des.EncryptEcb(challenge, PaddingMode.None);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush() => _server.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _server.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
