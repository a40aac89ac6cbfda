using Carrel.Contracts.Deskd;
using Carrel.Contracts.Events;
using Carrel.Deskd.Acting;
using Carrel.Deskd.Audio;
using Carrel.Deskd.Clipboard;
using Carrel.Deskd.Events;
using Carrel.Deskd.Files;
using Carrel.Deskd.Http;
using Carrel.Deskd.Identity;
using Carrel.Deskd.Input;
using Carrel.Deskd.Native;
using Carrel.Deskd.Ports;
using Carrel.Deskd.Readiness;
using Carrel.Deskd.Recording;
using Carrel.Deskd.Screen;
using Carrel.Deskd.Screens;
using Carrel.Deskd.Shell;
using Carrel.Deskd.Terminals;
using Carrel.Deskd.Streaming;
using Carrel.Deskd.X11;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Carrel.Deskd;

/// <summary>
/// Puts the parts together. By hand and without a host, dependency injection, configuration or logging framework: each of
/// those costs start-up time and memory in every computer.
/// </summary>
internal sealed class Deskd : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly DeskdApplication _application;
    private readonly DisplayLink _link;
    private readonly DesktopScreen _screen;
    private readonly ScreenSet _screens;
    private readonly IdentityEndpoint _identityEndpoint;
    private readonly StreamEndpoints _stream;
    private readonly RecordingEndpoints _recordings;

    public Deskd(DeskdSettings settings, TimeProvider time)
    {
        var identity = new MachineIdentity();
        _link = new DisplayLink(settings.Display);
        _screen = new DesktopScreen(ScreenSet.DefaultId, _link, time);
        _screens = new ScreenSet(_screen, new ExtraScreenSettings(settings.FirstExtraDisplay, settings.WindowManager, settings.RunFolder), time);
        _identityEndpoint = new IdentityEndpoint(settings, identity, _link);
        var metrics = new Metrics(time);
        var desktop = new DesktopWatch(_link, new BootClock(time), time);
        var pulse = new PulseLink(settings.PulseSocket, time);
        var routes = new RouteTable();
        routes.Add(Routes.Of(
            new ActAndSee(_screens, time), new ScreenshotEndpoint(_screens), new PointerEndpoints(time), new WaitEndpoint(time),
            new ShellEndpoints(settings.Display)));
        routes.Add(new ScreenEndpoints(_screens, _identityEndpoint).Routes);
        routes.Add(TunnelEndpoint.Routes);
        routes.Add(new TerminalEndpoint(settings.Display, time).Route);
        routes.Add(new AudioEndpoint(pulse, time).Route);
        routes.Add(new ClipboardEndpoints(_link, time).Routes);
        routes.Add(new EventsEndpoint(new Lazy<EventHub>(() => Events(pulse, time)), time).Route);
        routes.Add(new FileEndpoints(settings.Home, new TreeTools(settings.Display)).Routes);
        routes.Add(new HomeEndpoints(settings.Home).Routes);
        routes.Add(new Route("PUT", DeskdProtocol.IdentityPath, "Tells the machine who it is.", _identityEndpoint.PutAsync, Access.Host, BeforeIdentity: true)
        {
            Body = IdentityEndpoint.Fields.All,
        });
        routes.Add(new Route(
            "GET", DeskdProtocol.ReadyPath, "Answers once the desktop is painted.", new ReadyEndpoint(desktop, identity).GetAsync, Access.Host, BeforeIdentity: true));
        routes.Add(new Route("GET", "/metrics", "Counters in Prometheus' format.", metrics.WriteAsync, Access.Public, BeforeIdentity: true));
        routes.Add(new StatusEndpoints(_link, identity, routes, time).Routes);
        _stream = new StreamEndpoints(_link, settings.Display, time);
        _recordings = new RecordingEndpoints(_link, settings.Display, settings.StateFolder, time);
        routes.Add([.. _stream.Routes, .. _recordings.Routes]);
        _application = new DeskdApplication(routes, identity, metrics);
        _server = new KestrelServer(
            Options.Create(Kestrel(settings)),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions { Backlog = 512 }), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    public async Task StartAsync()
    {
        _identityEndpoint.Recall();
        _link.Start();
        await _server.StartAsync(_application, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(soon.Token);
        _server.Dispose();
        await Task.WhenAll(_stream.DisposeAsync().AsTask(), _recordings.DisposeAsync().AsTask());
        await _screens.DisposeAsync();
        _screen.Dispose();
    }

    private EventHub Events(PulseLink pulse, TimeProvider time)
    {
        var hub = new EventHub(time);
        var loop = new DescriptorLoop();
        var files = new FileWatch(loop, time);
        hub.Add(
            new WindowSource(_link, hub), new ClipboardSource(_link, hub, time), new ScreenSource(_link, hub), new SettledSource(_link, hub, time),
            new IdleSource(_link, hub, TimeSpan.FromSeconds(EventCatalogue.IdleSeconds)), new FileSource(files, hub), new DownloadSource(files, hub),
            new ProcessSource(loop, hub, time), new AudioSource(new AudioActivity(pulse), hub));
        return hub;
    }

    private static KestrelServerOptions Kestrel(DeskdSettings settings)
    {
        // A command must not inherit the listening socket: it could answer in our name.
        _ = Libc.fcntl(settings.ListenFd, Libc.F_SETFD, Libc.FD_CLOEXEC);
        var options = new KestrelServerOptions { AddServerHeader = false, AllowSynchronousIO = false };
        options.Limits.MaxRequestLineSize = 16 * 1024; // A path of 4 KB, percent-encoded.
        options.Limits.MaxRequestBodySize = Contracts.Actions.ActionLimits.LargeBodyBytes + 1;

        // Sockets and transfers may rest; the host keeps the clock, and whoever is inside harms only itself.
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.ListenHandle((ulong)settings.ListenFd, listen => listen.Use(next => connection =>
        {
            connection.Features.Set(HostConnection.Mark);
            return next(connection);
        }));
        if (settings.TcpPort != 0)
        {
            options.ListenAnyIP(settings.TcpPort);
        }

        return options;
    }
}
