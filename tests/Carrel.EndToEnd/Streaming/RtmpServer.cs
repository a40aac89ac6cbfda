using System.Diagnostics;
using Carrel.EndToEnd.Boundary;
using Carrel.Testbed;

namespace Carrel.EndToEnd.Streaming;

/// <summary>nginx with its RTMP module on a host beyond this one; it keeps what is streamed to it, a file for each connection.</summary>
internal sealed class RtmpServer : IAsyncDisposable
{
    private readonly OutsideHost _host;
    private readonly string _folder;
    private Process? _nginx;

    private RtmpServer(OutsideHost host, string folder) => (_host, _folder) = (host, folder);

    internal string Url => $"rtmp://{_host.PublicAddress}/live";

    /// <summary>What was streamed, in the order of the connections.</summary>
    internal IReadOnlyList<string> Films => [.. new DirectoryInfo(Path.Combine(_folder, "films")).GetFiles().OrderBy(film => film.CreationTimeUtc).Select(film => film.FullName)];

    internal static async Task<RtmpServer> StartNewAsync()
    {
        var host = await OutsideHost.CreateAsync();
        var server = new RtmpServer(host, $"/var/tmp/carrel-test/{host.Name}-rtmp");
        Directory.CreateDirectory(Path.Combine(server._folder, "films"));
        await File.WriteAllTextAsync(Path.Combine(server._folder, "nginx.conf"), $$"""
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            daemon off; master_process off; user root; pid {{server._folder}}/pid; error_log {{server._folder}}/error.log notice;
            events { worker_connections 64; }
            rtmp { server { listen 1935; application live {
                live on; record all; record_path {{server._folder}}/films; record_unique on;
            } } }
            """);
        await server.StartAsync();
        return server;
    }

    internal async Task StartAsync()
    {
        _nginx = HostProcess.Start("ip", ["netns", "exec", _host.Name, "nginx", "-p", _folder, "-c", Path.Combine(_folder, "nginx.conf")]);
        await Computer.UntilAsync(
            async () => (await HostProcess.RunAsync("ip", "netns", "exec", _host.Name, "ss", "-Hltn", "sport = 1935")).Output.Contains("LISTEN", StringComparison.Ordinal),
            "the RTMP server listens");
    }

    internal async Task KillAsync()
    {
        _nginx!.Kill();
        await _nginx.WaitForExitAsync();
        _nginx.Dispose();
        _nginx = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null)
        {
            await KillAsync();
        }

        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
