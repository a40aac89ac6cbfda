using System.Buffers;
using System.Runtime.InteropServices;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Shell;

/// <summary>Keeps the first bytes of an output and drops the rest.</summary>
internal sealed unsafe class OutputBuffer(int limit)
{
    // What one Fill takes at most once the writer may go on for ever: more than a pipe holds.
    private const int MostPerFill = 4 * 1024 * 1024;
    private readonly ArrayBufferWriter<byte> _kept = new();

    public ReadOnlyMemory<byte> Written => _kept.WrittenMemory;

    public bool Truncated { get; private set; }

    /// <summary>Takes what is there now from a non-blocking descriptor. False at its end.</summary>
    public bool Fill(Descriptor source)
    {
        var piece = stackalloc byte[32 * 1024];
        for (var taken = 0; taken < MostPerFill;)
        {
            var count = (int)Libc.read(source.Fd, piece, 32 * 1024);
            if (count <= 0)
            {
                return count < 0 && Marshal.GetLastPInvokeError() is Libc.EAGAIN or Libc.EINTR;
            }

            taken += count;
            Keep(new ReadOnlySpan<byte>(piece, count));
        }

        return true;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        var room = limit - _kept.WrittenCount;
        Truncated |= bytes.Length > room;
        _kept.Write(bytes[..Math.Min(bytes.Length, room)]);
    }
}
