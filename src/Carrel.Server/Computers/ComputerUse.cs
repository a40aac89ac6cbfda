namespace Carrel.Server.Computers;

/// <summary>
/// Whether somebody uses a computer: calls and sockets that are open now, and whether any came since the last look. One of these
/// per computer; a call costs two interlocked operations and allocates nothing.
/// </summary>
internal sealed class ComputerUse
{
    private int _users;
    private int _touched;

    public bool IsUsed => Volatile.Read(ref _touched) != 0 || Volatile.Read(ref _users) > 0;

    /// <summary>A call that needs no machine.</summary>
    public void Touch() => Volatile.Write(ref _touched, 1);

    /// <summary>From here to <see cref="Leave"/> the computer is in use. Enter first, look at the state then.</summary>
    public void Enter() => Interlocked.Increment(ref _users);

    public void Leave()
    {
        Touch();
        Interlocked.Decrement(ref _users);
    }

    /// <summary>Whether it is used now, or was since this was last asked.</summary>
    public bool TakeUsed() => Interlocked.Exchange(ref _touched, 0) != 0 | Volatile.Read(ref _users) > 0;
}
