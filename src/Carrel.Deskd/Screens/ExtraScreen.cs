using System.Globalization;
using Carrel.Deskd.Native;
using Carrel.Deskd.Readiness;
using Carrel.Deskd.Shell;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Screens;

/// <summary>
/// A screen added after the boot, on a thread of its own from its start to its end:
/// <list type="number">
/// <item>Start its X server, which dies with this thread and so with deskd.</item>
/// <item>Be told by it that it listens.</item>
/// <item>Connect; then start a window manager, and be told by a property that it manages.</item>
/// <item>Serve the connection until the X server goes away, by itself or because it was ended.</item>
/// <item>Take away what is left: processes, the lock and the sockets.</item>
/// </list>
/// </summary>
internal sealed class ExtraScreen
{
    private const int ToldFd = ChildSpec.FirstExtraFd;
    private const int MostToldMilliseconds = 15_000;
    private readonly int _number;
    private readonly string _geometry;
    private readonly byte _depth;
    private readonly ExtraScreenSettings _settings;
    private readonly TaskCompletionSource<string?> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly List<int> _sessions = [];
    private bool _stopping;
    private bool _listened;

    public ExtraScreen(int number, int width, int height, byte depth, ExtraScreenSettings settings, TimeProvider time)
    {
        (_number, _depth, _settings) = (number, depth, settings);
        _geometry = string.Create(CultureInfo.InvariantCulture, $"{width}x{height}");
        Screen = new DesktopScreen($"screen-{number}", new DisplayLink(number), time) { VncSocket = settings.VncSocket(number) };
        Screen.Link.Connected += display => _ = ManageAsync(display);
    }

    public DesktopScreen Screen { get; }

    /// <summary>Completes when it can be used, with null, or when it cannot, with why.</summary>
    public Task<string?> Started => _started.Task;

    public bool IsReady => _started.Task is { IsCompletedSuccessfully: true, Result: null } && !_ended.Task.IsCompleted;

    /// <summary>Completes when it is gone with all that belongs to it.</summary>
    public Task Ended => _ended.Task;

    public void Start() => new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = Screen.Id }.Start();

    /// <summary>Ends it; <see cref="Ended"/> tells when it is done.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            _sessions.ForEach(ProcessSession.Kill);
        }
    }

    private void Run()
    {
        try
        {
            // 1, 2
            var why = StartServer();
            if (why is null)
            {
                // 3, 4
                Screen.Link.Serve();
                Log.Write($"{Screen.Id} ended");
            }

            _started.TrySetResult(why ?? "its X server ended");
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or XDisconnectedException)
        {
            _started.TrySetResult(e.Message);
        }
        finally
        {
            // 5
            CleanUp();
        }
    }

    /// <summary>Null when the X server listens, or why it does not.</summary>
    private unsafe string? StartServer()
    {
        var ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
        {
            throw Errno.Failed("a pipe");
        }

        using var told = new Descriptor(ends[0]);
        using (var tells = new Descriptor(ends[1]))
        {
            // Nothing but the number of its display comes through the pipe; its end means that the X server did.
            string[] glx = Environment.GetEnvironmentVariable("CARREL_GLX") == "on" ? [] : ["-extension", "GLX"];
            if (!Spawn(
                "/usr/bin/setpriv",
                [
                    "--pdeathsig", "KILL", "Xvnc", $":{_number}", "-displayfd", $"{ToldFd}", "-geometry", _geometry, "-depth", $"{_depth}",
                    "-rfbport", "-1", "-rfbunixpath", Screen.VncSocket!, "-SecurityTypes", "VncAuth", "-PasswordFile", _settings.PasswordFile,
                    "-desktop", Screen.Id, "-UseBlacklist=0", "-nolisten", "tcp", "-AlwaysShared", "-AcceptSetDesktopSize", "-SendPrimary=0", "-ac", "-noreset", .. glx,
                ],
                tells.Fd))
            {
                return "it was deleted meanwhile";
            }
        }

        _listened = IsTold(told);
        return _listened ? null : $"its X server did not come up on display :{_number}";
    }

    /// <summary>Reads the number to the end of its line: the X server writes that apart, and dies of it where nobody reads any more.</summary>
    private static unsafe bool IsTold(Descriptor told)
    {
        var entry = new Libc.PollFd { Fd = told.Fd, Events = Libc.POLLIN };
        byte read = 0;
        while (read != '\n')
        {
            if (Libc.poll(&entry, 1, MostToldMilliseconds) <= 0 || Libc.read(told.Fd, &read, 1) <= 0)
            {
                return false;
            }
        }

        return true;
    }

    private async Task ManageAsync(XDisplay display)
    {
        try
        {
            if (_settings.WindowManager is not [var program, .. var arguments])
            {
                _started.TrySetResult(null);
                return;
            }

            var atoms = await DesktopAtoms.InternAsync(display.Connection);
            display.EventReceived += packet =>
            {
                if (packet.Code == XCore.PropertyNotify && packet.U32(8) == atoms.SupportingWmCheck)
                {
                    _started.TrySetResult(null);
                }
            };
            Spawn(program, arguments, null);
        }
        catch (Exception e) when (e is IOException or XDisconnectedException)
        {
            _started.TrySetResult(e.Message);
        }
    }

    /// <summary>Starts a program on this display, unless it is ending.</summary>
    private bool Spawn(string program, string[] arguments, int? extra)
    {
        const int standardError = 2;
        lock (_gate)
        {
            if (_stopping)
            {
                return false;
            }

            _sessions.Add(ChildProcess.Start(new ChildSpec(
                program, arguments, ShellEnvironment.Build(_number), ShellEnvironment.WorkingFolder, standardError, standardError,
                extra is { } fd ? [fd] : [])));
            return true;
        }
    }

    private unsafe void CleanUp()
    {
        Stop();
        foreach (var session in _sessions)
        {
            int status;
            while (Libc.waitpid(session, &status, 0) < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == Libc.EINTR)
            {
            }
        }

        lock (_gate)
        {
            _sessions.Clear();
        }

        // Unless the display was somebody else's: then it still is.
        if (_listened)
        {
            File.Delete($"/tmp/.X{_number}-lock");
            File.Delete(XSocket.Path(_number));
            File.Delete(Screen.VncSocket!);
        }

        Screen.Dispose();
        _ended.SetResult();
    }
}
