using System.Buffers;
using Carrel.Contracts;

namespace Carrel.Server.Actions;

/// <summary>A body read from a guest whole, into a rented buffer, up to a cap.</summary>
internal sealed class CappedBody : IDisposable
{
    public const int MostJson = 2 * 1024 * 1024;
    public const int MostPicture = 64 * 1024 * 1024;
    private byte[] _buffer;
    private int _length;

    private CappedBody(int size) => _buffer = ArrayPool<byte>.Shared.Rent(size);

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<Outcome<CappedBody>> ReadAsync(HttpContent content, int most, CancellationToken cancellationToken)
    {
        var expected = content.Headers.ContentLength;
        if (expected > most)
        {
            return TooLarge(most);
        }

        var body = new CappedBody((int)(expected ?? 4096) + 1);
        try
        {
            await using var stream = await content.ReadAsStreamAsync(cancellationToken);
            int read;
            while ((read = await stream.ReadAsync(body._buffer.AsMemory(body._length), cancellationToken)) > 0)
            {
                body._length += read;
                if (body._length > most)
                {
                    body.Dispose();
                    return TooLarge(most);
                }

                if (body._length == body._buffer.Length)
                {
                    body.Grow();
                }
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        Bytes.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private static Failure TooLarge(int most) => new(ErrorCodes.DesktopFailed, $"The desktop answered with more than {most} bytes.", "Ask for less at once.");
}
