using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Carrel.Testbed;

/// <summary>A real server of our own: its own data folder and port, on this host, with real computers.</summary>
public sealed class Installation : IAsyncDisposable
{
    private const string Root = "/var/tmp/carrel-test";

    private readonly ConcurrentQueue<string> _log = new();
    private Process? _server;

    private Installation(string data, int port)
    {
        Data = data;
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    public string Data { get; }

    public Uri Address { get; }

    public int ServerPid => _server?.Id ?? throw new InvalidOperationException("the server does not run");

    public bool IsRunning => _server is not null;

    public string Key => File.ReadAllText(Path.Combine(Data, "admin.key")).Trim();

    public Api Api { get; private set; } = null!;

    /// <summary>What the server said, kept after the run for whoever looks into a failure.</summary>
    public string LogFile => $"{Data}.log";

    public string Log => string.Join('\n', _log);

    /// <summary>Starts one. Those of test runs that were killed lose their data folder; the server clears up after them.</summary>
    public static async Task<Installation> StartNewAsync()
    {
        Directory.CreateDirectory(Root);
        foreach (var stale in Directory.EnumerateDirectories(Root).Where(folder => File.Exists(Path.Combine(folder, "owner")) && !IsAlive(folder)))
        {
            Directory.Delete(stale, recursive: true);
        }

        var data = Directory.CreateDirectory($"{Root}/{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))}").FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "owner"), $"{Environment.ProcessId}");
        var installation = new Installation(data, FreePort());
        await installation.StartAsync();
        return installation;
    }

    public async Task StartAsync()
    {
        var folder = Required("CARREL_TEST_SERVER");
        var environment = new Dictionary<string, string>
        {
            ["CARREL_DATA"] = Data,
            ["CARREL_LISTEN"] = Address.ToString().TrimEnd('/'),
            ["CARREL_DESKD"] = Required("CARREL_TEST_DESKD"),
            ["CARREL_IMAGES"] = Required("CARREL_TEST_IMAGES"),
        };
        var server = HostProcess.Start(Path.Combine(folder, "carrel-server"), [], environment);
        server.OutputDataReceived += (_, line) => Remember(line.Data);
        server.ErrorDataReceived += (_, line) => Remember(line.Data);
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        _server = server;
        await WaitUntilHealthyAsync(server);
        var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, MaxConnectionsPerServer = 64 }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(100) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        Api = new Api(http);
    }

    /// <summary>As <c>carrel down</c> does: asks the server to end; computers go on.</summary>
    public async Task StopAsync()
    {
        await HostProcess.RunAsync("kill", "-TERM", $"{ServerPid}");
        await _server!.WaitForExitAsync();
        _server = null;
    }

    /// <summary>Ends the server in whatever it is doing.</summary>
    public async Task KillAsync()
    {
        _server!.Kill();
        await _server.WaitForExitAsync();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is null or { HasExited: true })
        {
            await StartAsync(); // One that cannot start says why.
        }

        foreach (var workspace in await Api.WorkspacesAsync())
        {
            await Api.SendAsync(HttpMethod.Delete, $"/api/workspaces/{workspace}");
        }

        await StopAsync();
        Directory.Delete(Data, recursive: true);
    }

    private async Task WaitUntilHealthyAsync(Process server)
    {
        using var http = new HttpClient { BaseAddress = Address };
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60))
        {
            if (server.HasExited)
            {
                throw new InvalidOperationException($"the server ended with {server.ExitCode}:\n{Log}");
            }

            try
            {
                using var answer = await http.GetAsync("/healthz");
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        throw new TimeoutException($"the server was not healthy within a minute:\n{Log}");
    }

    private void Remember(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
            lock (_log)
            {
                File.AppendAllText(LogFile, line + "\n");
            }
        }
    }

    private static bool IsAlive(string folder) => Directory.Exists($"/proc/{File.ReadAllText(Path.Combine(folder, "owner"))}");

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable)
        ?? throw new InvalidOperationException($"{variable} is not set: run these tests through `./carrel test`.");

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
