using Carrel.Machines;
using Carrel.Server.Actions;

namespace Carrel.Server.Computers;

/// <summary>A computer's machine from being usable to its end: the machine, the connections to its deskd, and the news of its end.</summary>
internal sealed class MachineSession(IMachine machine) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private int _sockets;

    public IMachine Machine => machine;

    public DeskdLink Deskd { get; } = new(machine);

    /// <summary>Fires when the session ends, whoever ended it; sockets close on it.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>A place for one more socket, given back when disposed; null where <paramref name="most"/> are taken.</summary>
    public IDisposable? TakeSocket(int most)
    {
        if (Interlocked.Increment(ref _sockets) <= most)
        {
            return new SocketPlace(this);
        }

        Interlocked.Decrement(ref _sockets);
        return null;
    }

    /// <summary>Ends the session, not the machine.</summary>
    public void Dispose()
    {
        if (!_ended.IsCancellationRequested)
        {
            _ended.Cancel();
            Deskd.Dispose();
        }
    }

    private sealed class SocketPlace(MachineSession session) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref session._sockets);
    }
}
