using Carrel.Deskd.Polling;

namespace Carrel.Deskd.Audio;

/// <summary>
/// Sound between PulseAudio, which does not wait, and a client, which may be slow: a ring of whole frames whose oldest give
/// way. One writes, one reads.
/// </summary>
/// <param name="frameBytes">Bytes of 20 ms.</param>
internal sealed class PcmBuffer(int frameBytes, int frames)
{
    private readonly Lock _gate = new();
    private readonly Signal _some = new();
    private readonly byte[] _ring = new byte[frameBytes * frames];
    private int _start;
    private int _length;
    private bool _ended;

    /// <summary>Adds samples; <paramref name="silent"/> bytes of silence where there is no data.</summary>
    public void Write(ReadOnlySpan<byte> samples, int silent = 0)
    {
        lock (_gate)
        {
            Append(samples, samples.Length);
            Append(default, silent);
            if (_length < frameBytes)
            {
                return;
            }
        }

        _some.Set();
    }

    /// <summary>No more will come.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
        }

        _some.Set();
    }

    /// <summary>Takes the whole frames that are there, as many as fit, at least one; 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> into)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_ended)
                {
                    return 0;
                }

                if (Take(into.Span) is var taken and > 0)
                {
                    return taken;
                }
            }

            await _some.WaitAsync();
        }
    }

    private void Append(ReadOnlySpan<byte> samples, int count)
    {
        if (count > _ring.Length)
        {
            samples = samples.IsEmpty ? samples : samples[^_ring.Length..];
            count = _ring.Length;
        }

        if (_length + count > _ring.Length)
        {
            // Whole frames, so that the channels do not change places.
            var over = _length + count - _ring.Length;
            var dropped = Math.Min(_length, (over + frameBytes - 1) / frameBytes * frameBytes);
            _start = (_start + dropped) % _ring.Length;
            _length -= dropped;
        }

        for (var done = 0; done < count;)
        {
            var at = (_start + _length) % _ring.Length;
            var piece = Math.Min(count - done, _ring.Length - at);
            if (samples.IsEmpty)
            {
                _ring.AsSpan(at, piece).Clear();
            }
            else
            {
                samples.Slice(done, piece).CopyTo(_ring.AsSpan(at));
            }

            _length += piece;
            done += piece;
        }
    }

    private int Take(Span<byte> into)
    {
        var count = Math.Min(_length, into.Length) / frameBytes * frameBytes;
        var first = Math.Min(count, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(into);
        _ring.AsSpan(0, count - first).CopyTo(into[first..]);
        _start = (_start + count) % _ring.Length;
        _length -= count;
        return count;
    }
}
