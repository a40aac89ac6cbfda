namespace Carrel.Deskd.Audio;

/// <summary>
/// What uses the connection. All is called on PulseAudio's thread with its lock held: quick, and never by way of
/// <see cref="PulseLink.Join"/> or leaving.
/// </summary>
internal interface IPulseUser
{
    /// <summary>The connection is there, at first or again.</summary>
    void Connected(nint context);

    /// <summary>It could not be made, or broke: whatever was made of the context is gone. It is made again when PulseAudio is back.</summary>
    void Disconnected(string why);

    /// <summary>The user left: let go of what was made of the context, if there is one.</summary>
    void Leave();
}

/// <summary>
/// The one connection to PulseAudio: made when somebody wants to hear, shared by all, ended when the last has left. In
/// between there is no thread, no memory and no libpulse.
/// </summary>
internal sealed class PulseLink(string socket, TimeProvider time)
{
    // Order of locks: this one, then the loop's.
    private readonly Lock _gate = new();
    private PulseLoop? _loop;

    /// <summary>Joins a user, who leaves by disposing what is returned; not on PulseAudio's thread.</summary>
    public IDisposable Join(IPulseUser user)
    {
        lock (_gate)
        {
            _loop ??= new PulseLoop(socket, time);
            _loop.Add(user);
            return new Membership(this, user);
        }
    }

    private void Leave(IPulseUser user)
    {
        lock (_gate)
        {
            if (_loop is { } loop && loop.Remove(user) == 0)
            {
                _loop = null;
                loop.Dispose();
            }
        }
    }

    private sealed class Membership(PulseLink link, IPulseUser user) : IDisposable
    {
        private IPulseUser? _user = user;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _user, null) is { } leaver)
            {
                link.Leave(leaver);
            }
        }
    }
}
