using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screen;

/// <summary>
/// Takes pictures of the screen through MIT-SHM. Two segments, so that one picture is taken while another is being
/// encoded; a third caller waits.
/// </summary>
internal sealed class ScreenCapture
{
    private const byte ZPixmap = 2;
    private readonly SemaphoreSlim _turn = new(2);
    private readonly Stack<SharedSegment> _free = new();

    public async Task<Frame> CaptureAsync(XDisplay display, bool withCursor, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        SharedSegment? segment = null;
        try
        {
            var (width, height) = display.Size;
            segment = await TakeAsync(display, width * height * 4);
            var cursor = withCursor ? CursorImage.QueryAsync(display) : null;
            await display.Connection.AskAsync(new XBatch().Begin(display.Shm.Opcode, 4).U32(display.Root)
                .U16(0).U16(0).U16(width).U16(height).U32(0xffffffff).U8(ZPixmap).Zeros(3).U32(segment.Xid).U32(0).End());
            var frame = Wrap(segment, width, height);
            if (cursor is not null)
            {
                (await cursor).BlendInto(frame);
            }

            return frame;
        }
        catch
        {
            segment?.Dispose();
            _turn.Release();
            throw;
        }
    }

    private unsafe Frame Wrap(SharedSegment segment, int width, int height)
    {
        if (segment.Display.Connection.Setup.Depth == 16)
        {
            PixelFormats.Expand565(segment.Pixels, width * height);
        }

        return new Frame(segment.Pixels, width, height, new Lease(this, segment));
    }

    private async Task<SharedSegment> TakeAsync(XDisplay display, int size)
    {
        while (true)
        {
            SharedSegment? segment;
            lock (_free)
            {
                _free.TryPop(out segment);
            }

            if (segment is null)
            {
                return await SharedSegment.CreateAsync(display, size);
            }

            if (segment.Display == display && segment.Size == size)
            {
                return segment;
            }

            segment.Dispose();
        }
    }

    private void GiveBack(SharedSegment segment)
    {
        SharedSegment? surplus = segment;
        // One is kept: between pictures a second would only be memory.
        lock (_free)
        {
            if (_free.Count == 0)
            {
                _free.Push(segment);
                surplus = null;
            }
        }

        surplus?.Dispose();
        _turn.Release();
    }

    private sealed class Lease(ScreenCapture capture, SharedSegment segment) : IDisposable
    {
        private SharedSegment? _segment = segment;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _segment, null) is { } held)
            {
                capture.GiveBack(held);
            }
        }
    }
}
