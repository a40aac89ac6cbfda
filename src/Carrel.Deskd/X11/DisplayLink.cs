namespace Carrel.Deskd.X11;

/// <summary>
/// Keeps a connection to the X server: waits for it to appear, serves its events, and starts over when it goes away, so
/// that commands which run meanwhile do not die with it.
/// </summary>
internal sealed class DisplayLink(int display)
{
    private volatile XDisplay? _current;

    /// <summary>Raised on the link's thread when a display is usable.</summary>
    public event Action<XDisplay>? Connected;

    /// <summary>The display's number.</summary>
    public int Number => display;

    /// <summary>The display, or null while the X server is away.</summary>
    public XDisplay? Current => _current;

    public void Start() =>
        new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "x11" }.Start();

    /// <summary>Serves the X server that is there now, on the calling thread, until it goes away.</summary>
    public void Serve() => Serve(XConnection.Open);

    private void Run()
    {
        while (true)
        {
            var why = Serve(XSocket.OpenWhenThere);
            Log.Write($"the X server on :{display} went away ({why.Message}); waiting for it");
        }
    }

    private Exception Serve(Func<int, Action<XPacket>, XConnection> open)
    {
        XDisplay? session = null;
        using var connection = open(display, packet => session?.OnEvent(packet));
        session = new XDisplay(connection);
        _ = InitializeAsync(session);
        var why = connection.Pump();
        _current = null;
        return why;
    }

    private async Task InitializeAsync(XDisplay session)
    {
        try
        {
            await session.InitializeAsync();
            _current = session;
            if (session.Connection.IsLost)
            {
                // It went away between the last answer and here; the reading thread has cleared or will clear this.
                _current = null;
                return;
            }

            Connected?.Invoke(session);
        }
        catch (XDisconnectedException)
        {
            // The thread that reads notices too, and starts over.
        }
        catch (Exception e)
        {
            // A server without the extensions will not grow them; the supervisor's log shows us failing.
            Log.Write("the X server cannot be used", e);
            Environment.Exit(1);
        }
    }
}
