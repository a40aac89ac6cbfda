using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Tests.World;

/// <summary>deskd itself, on a socket made the way the host makes it, with an X server of its own.</summary>
public sealed class Desk : IAsyncLifetime
{
    public const string Token = "the-token";
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private XServer? _x;
    private Deskd? _deskd;

    public string Folder { get; } = Directory.CreateTempSubdirectory("carrel-deskd-").FullName;

    /// <summary>Where this deskd looks for PulseAudio.</summary>
    public string PulseSocket { get; init; } = "/nonexistent/pulse/native";

    public string Home => Path.Combine(Folder, "home");

    public int Display => _x!.Display;

    public int TcpPort { get; private set; }

    /// <summary>The host's socket.</summary>
    public string SocketPath => Path.Combine(Folder, "deskd.sock");

    public HttpClient Host { get; private set; } = null!;

    public HttpClient Tcp { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _x = new XServer();
        var path = SocketPath;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        Directory.CreateDirectory(Home);
        TcpPort = FreePort();
        _deskd = new Deskd(
            new DeskdSettings(_x.Display, (int)_listener.Handle, TcpPort, Folder, Path.Combine(Folder, "machine-id"), SetsHostName: false)
            {
                FirstExtraDisplay = XServer.FreeDisplays(),
                // Says that it manages, as window managers do, and needs no session bus.
                WindowManager = ["/bin/sh", "-c", "xprop -root -f _NET_SUPPORTING_WM_CHECK 32x -set _NET_SUPPORTING_WM_CHECK 1; exec xprop -root -spy > /dev/null 2>&1"],
                PulseSocket = PulseSocket,
                Home = Home,
                StateFolder = Path.Combine(Folder, "state"),
            },
            TimeProvider.System);
        await _deskd.StartAsync();
        Host = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri("http://deskd") };
        Tcp = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{TcpPort}") };
        await Identify();
        var health = await Eventually.Is(
            () => Host.GetAsync("/health").GetAwaiter().GetResult().IsSuccessStatusCode, ok => ok);
        Assert.True(health, "deskd did not become healthy");
    }

    public async ValueTask DisposeAsync()
    {
        Host.Dispose();
        Tcp.Dispose();
        await _deskd!.DisposeAsync();
        _listener.Dispose();
        _x!.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    public Task<HttpResponseMessage> Identify(int width = 1280, int height = 720) => Host.PutAsync("/identity", new StringContent(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"token":"{{Token}}","vnc_password":"secretpw","host_name":"desk","machine_id":"0123456789abcdef0123456789abcdef","width":{{width}},"height":{{height}}}""")));

    /// <summary>Posts JSON over the host's socket; returns status and answer.</summary>
    public async Task<(int Status, JsonElement Answer)> Post(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Host.PostAsync(path, content, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken));
    }

    public Task<(int Status, JsonElement Answer)> Post(string path, params (string Name, object Value)[] fields) =>
        Post(path, JsonSerializer.Serialize(fields.ToDictionary(f => f.Name, f => f.Value)));

    /// <summary>Runs a shell command on the display and waits for it.</summary>
    public async Task Shell(string command)
    {
        var (_, answer) = await Post("/bash", ("command", command));
        Assert.True(answer.GetProperty("exit_code").GetInt32() == 0, answer.ToString());
    }

    internal RunningProgram Start(string command, string? output = null) => new("/bin/bash", ["-c", command], Display, output);

    private static int FreePort()
    {
        using var probe = new TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        return ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
    }
}
