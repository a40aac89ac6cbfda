using System.Threading.Channels;
using Carrel.Contracts;

namespace Carrel.Machines.Slots;

/// <summary>
/// Keeps a few slots made ahead: making one takes three processes and some 30 ms, which no launch should wait for.
/// </summary>
internal sealed class SlotPool : IAsyncDisposable
{
    private readonly SlotFactory _factory;
    private readonly Channel<Outcome<Slot>> _ready;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _filling;

    internal SlotPool(SlotFactory factory, int spare)
    {
        _factory = factory;
        // A full channel makes the filler wait with one more slot in hand: capacity 1 keeps two.
        _ready = Channel.CreateBounded<Outcome<Slot>>(Math.Max(1, spare - 1));
        _filling = Task.Run(FillAsync);
    }

    internal async Task<Outcome<Slot>> TakeAsync(CancellationToken cancellationToken)
    {
        if (_ready.Reader.TryRead(out var made) && made.Succeeded)
        {
            return made;
        }

        // Empty, or the last attempt failed, perhaps long ago: what is wrong now is what the caller must hear.
        cancellationToken.ThrowIfCancellationRequested();
        return await _factory.CreateAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _filling.ConfigureAwait(false);
        _ready.Writer.Complete();
        await foreach (var slot in _ready.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (slot.Succeeded)
            {
                await _factory.DestroyAsync(slot.Value).ConfigureAwait(false);
            }
        }

        _stop.Dispose();
    }

    private async Task FillAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var slot = await _factory.CreateAsync().ConfigureAwait(false);
            try
            {
                await _ready.Writer.WriteAsync(slot, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                if (slot.Succeeded)
                {
                    await _factory.DestroyAsync(slot.Value).ConfigureAwait(false);
                }
            }
        }
    }
}
