using Carrel.Deskd.Audio;

namespace Carrel.Deskd.Tests.Audio;

public sealed class PcmBufferTests
{
    private readonly byte[] _into = new byte[12];

    [Fact]
    public async Task Whole_frames_come_out_however_the_samples_came_in()
    {
        var sound = new PcmBuffer(frameBytes: 4, frames: 3);
        sound.Write([1, 2]);
        var reading = sound.ReadAsync(_into);
        Assert.False(reading.IsCompleted);

        sound.Write([3, 4, 5, 6]);

        Assert.Equal(4, await reading);
        Assert.Equal([1, 2, 3, 4], _into[..4]);
        sound.Write([7, 8]);
        Assert.Equal(4, await sound.ReadAsync(_into));
        Assert.Equal([5, 6, 7, 8], _into[..4]);
    }

    [Fact]
    public async Task A_reader_that_lags_misses_the_oldest_whole_frames()
    {
        var sound = new PcmBuffer(frameBytes: 4, frames: 3);
        for (byte n = 0; n < 20; n++)
        {
            sound.Write([n, n]);
        }

        Assert.Equal(12, await sound.ReadAsync(_into));
        Assert.Equal([14, 14, 15, 15, 16, 16, 17, 17, 18, 18, 19, 19], _into);
    }

    [Fact]
    public async Task A_hole_is_silence()
    {
        var sound = new PcmBuffer(frameBytes: 4, frames: 3);
        sound.Write([9, 9, 9, 9, 9, 9, 9, 9]);
        await sound.ReadAsync(_into);

        sound.Write([1, 1], silent: 6);

        Assert.Equal(8, await sound.ReadAsync(_into));
        Assert.Equal([1, 1, 0, 0, 0, 0, 0, 0], _into[..8]);
    }

    [Fact]
    public async Task More_than_all_of_it_leaves_the_end_of_it()
    {
        var sound = new PcmBuffer(frameBytes: 4, frames: 3);
        sound.Write([.. Enumerable.Range(0, 40).Select(n => (byte)n)]);

        Assert.Equal(12, await sound.ReadAsync(_into));
        Assert.Equal([28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39], _into);
    }

    [Fact]
    public async Task Its_end_wakes_the_reader()
    {
        var sound = new PcmBuffer(frameBytes: 4, frames: 3);
        var reading = sound.ReadAsync(_into);

        sound.End();

        Assert.Equal(0, await reading);
    }
}
