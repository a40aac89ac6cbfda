using Carrel.Machines;
using Carrel.Server.Actions;
using Carrel.Server.Ports;
using Carrel.Server.Waking;

namespace Carrel.Server.Computers;

/// <summary>A computer's machine from being usable to its end: the machine, the connections to its deskd, and the news of its end.</summary>
internal sealed class MachineSession : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private int _sockets;

    public MachineSession(IMachine machine)
    {
        Machine = machine;
        Deskd = new DeskdLink(machine);
        Ports = new PortTunnels(Deskd);
    }

    public IMachine Machine { get; }

    public DeskdLink Deskd { get; }

    public PortTunnels Ports { get; }

    /// <summary>For how long it has been idle; the auto-stop's own.</summary>
    public IdleMeter Idle { get; } = new();

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
            Ports.Dispose();
            Deskd.Dispose();
        }
    }

    private sealed class SocketPlace(MachineSession session) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref session._sockets);
    }
}
