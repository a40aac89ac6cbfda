using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace Carrel.Server.Files;

/// <summary>
/// A body on its way to a desktop, as it comes. It waits until the desktop has said that it will take it, so that what is refused
/// is not sent.
/// </summary>
internal sealed class RelayedBody(PipeReader source, long? length, StallClock stall) : HttpContent
{
    private const int PieceBytes = 256 * 1024;

    /// <summary>Reading from the client failed: there is nobody to answer.</summary>
    public bool SourceFailed { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // Not returned on failure: a send that is given up may go on reading its memory for a moment.
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        while (true)
        {
            var read = await ReadAsync(cancellationToken);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, piece.Length));
            part.CopyTo(piece);

            // Known before the buffers go back: afterwards they may hold something else.
            var (count, isLast) = ((int)part.Length, read.IsCompleted && part.Length == read.Buffer.Length);
            source.AdvanceTo(part.End);
            if (count > 0)
            {
                await stream.WriteAsync(piece.AsMemory(0, count), cancellationToken);
                stall.Moved();
            }

            if (isLast)
            {
                ArrayPool<byte>.Shared.Return(piece);
                return;
            }
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }

    private async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAtLeastAsync(PieceBytes, cancellationToken);
        }
        catch (IOException)
        {
            SourceFailed = true;
            throw;
        }
    }
}
