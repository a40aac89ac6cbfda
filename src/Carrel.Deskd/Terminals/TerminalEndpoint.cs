using System.Buffers;
using Carrel.Deskd.Http;
using Carrel.Deskd.Shell;

namespace Carrel.Deskd.Terminals;

/// <summary>
/// The socket <c>/terminal</c> (reference section 7.2): a login shell on a terminal of its own, or with <c>session</c> the
/// tmux session of that name, which outlives the socket.
/// </summary>
internal sealed class TerminalEndpoint(int display, TimeProvider time)
{
    public static readonly IntegerField Columns = new("cols", "Width in characters.", false, 1, MostCells, 80);
    public static readonly IntegerField Rows = new("rows", "Height in characters.", false, 1, MostCells, 24);
    public static readonly TextField Session = new("session", "Name of a tmux session to attach to, made if there is none.", false, LongestName);

    /// <summary>Terminals at once; each holds a few descriptors, a shell and what it starts.</summary>
    public const int Most = 256;

    private const int MostCells = 1000;
    private const int LongestName = 64;
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    private int _open;

    public Route Route => new("GET", "/terminal", "A WebSocket: a shell on a terminal.", OpenAsync) { Query = [Columns, Rows, Session] };

    private async Task<Reply> OpenAsync(Exchange exchange)
    {
        if (!exchange.IsWebSocketRequest)
        {
            return SocketRefusal.NoWebSocket(exchange);
        }

        var query = exchange.Query;
        var (columns, rows, session) = (query.Read(Columns), query.Read(Rows), ReadName(query));
        using var socket = new JsonSocket(await exchange.AcceptWebSocketAsync(), time);
        if (query.Complaint is { } complaint)
        {
            await socket.RefuseAsync(SocketRefusal.BadParameter, complaint);
            return Reply.Taken;
        }

        var open = Interlocked.Increment(ref _open);
        try
        {
            await (open > Most
                ? socket.RefuseAsync(SocketRefusal.BackendFailed, $"{Most} terminals are open, the most there may be; close one first")
                : ServeAsync(socket, session, columns, rows));
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }

        return Reply.Taken;
    }

    private async Task ServeAsync(JsonSocket socket, string session, int columns, int rows)
    {
        Pty pty;
        try
        {
            var environment = ShellEnvironment.Build(display, ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"));
            pty = session.Length == 0
                ? new Pty("/bin/bash", ["--login"], environment, columns, rows, time)
                : new Pty("/usr/bin/tmux", ["-u", "new-session", "-A", "-s", session], environment, columns, rows, time);
        }
        catch (IOException e)
        {
            Log.Write("a terminal", e);
            await socket.RefuseAsync(SocketRefusal.BackendFailed, $"Failed to start a shell: {e.Message}");
            return;
        }

        await using (pty)
        {
            await new TerminalTalk(socket, pty, time).RunAsync();
        }
    }

    /// <summary>A name that tmux takes as it is: dots and colons have a meaning, and a dash in front is an option.</summary>
    private static string ReadName(Query query)
    {
        var name = query.Read(Session);
        return query.Has(Session) && (name.Length == 0 || name[0] == '-' || name.AsSpan().ContainsAnyExcept(NameCharacters))
            ? query.Refuse(Session, "must be letters, digits, - and _, and not start with -", "")
            : name;
    }
}
