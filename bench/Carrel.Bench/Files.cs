using System.Globalization;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>A file of 256 MB out of and into a computer, by curl; the peer is curl from Python's own file server on the host, in turn.</summary>
internal sealed class Files(Installation installation, int count, IProgress<string> progress)
{
    private const int Megabytes = 256;
    private const double DownloadTarget = Megabytes * 1000 / 400.0; // 400 MB/s
    private const string Peer = "curl from python3 -m http.server on the host";

    internal async Task<IReadOnlyList<Row>> TransfersAsync()
    {
        var computer = await installation.Api.NewComputerAsync(more: new { cpu = 2 });
        var folder = Directory.CreateTempSubdirectory("carrel-bench-").FullName;
        var file = Path.Combine(folder, "file");
        await HostProcess.RunAsync("bash", "-c", $"head -c {Megabytes}000000 /dev/urandom > {file}");
        var url = new Uri(installation.Address, $"{computer.Path}/fs/root/file").AbsoluteUri;
        var port = FreePort();
        using var server = HostProcess.Start("python3", ["-m", "http.server", $"{port}", "--bind", "127.0.0.1", "--directory", folder]);
        var (down, up, peer) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = -3; i < count; i++)
        {
            progress.Report($"file-transfer {i + 1}/{count}");
            var (u, d, p) = (await CurlAsync("-T", file, url), await CurlAsync(url), await CurlAsync("--retry-connrefused", "--retry", "5", $"http://127.0.0.1:{port}/file"));
            if (i >= 0)
            {
                up.Add(u);
                down.Add(d);
                peer.Add(p);
            }
        }

        server.Kill();
        Directory.Delete(folder, recursive: true);
        await installation.Api.DeleteAsync(computer.Path);
        return [new Row("file-download-256mb", "ms", down, DownloadTarget, peer, Peer), new Row("file-upload-256mb", "ms", up, null, peer, Peer)];
    }

    /// <summary>Milliseconds by curl's own clock, from the request's begin to the last byte.</summary>
    private async Task<double> CurlAsync(params string[] arguments)
    {
        var (code, output) = await HostProcess.RunAsync(
            "curl", ["-sS", "--fail", "-o", "/dev/null", "-w", "%{time_total}", "-H", $"Authorization: Bearer {installation.Key}", .. arguments]);
        return code == 0 ? double.Parse(output, CultureInfo.InvariantCulture) * 1000 : throw new UnexpectedAnswerException($"curl ended with {code}: {output}");
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        return ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
    }
}
