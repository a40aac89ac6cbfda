using System.Net;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Files;

/// <summary>Files in and out of real computers, by curl, checked by what is inside.</summary>
public sealed class FileTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    private readonly Computer _computer = shared.Computer;
    private readonly Api _api = shared.Api;

    private string Key => $"Authorization: Bearer {shared.Installation.Key}";

    [Fact]
    public async Task Two_hundred_megabytes_go_in_and_out_unchanged()
    {
        using var folder = new Scratch();
        await ShellAsync($"head -c 200000000 /dev/urandom > {folder.Path}/in");

        await CurlAsync("-T", $"{folder.Path}/in", Url("root/größe 1.bin"));
        var inside = await _computer.BashAsync("sha256sum '/root/größe 1.bin' | cut -d' ' -f1; ls -A /root | grep -c part || true");
        await CurlAsync("-o", $"{folder.Path}/out", Url("root/größe 1.bin"));
        await CurlAsync("-o", $"{folder.Path}/part", "-r", "100000000-100000999", Url("~/größe 1.bin"));

        var here = await ShellAsync($"sha256sum < {folder.Path}/in | cut -d' ' -f1");
        Assert.Equal($"{here}0\n", inside);
        Assert.Equal(here, await ShellAsync($"sha256sum < {folder.Path}/out | cut -d' ' -f1"));
        await ShellAsync($"cmp {folder.Path}/part <(tail -c +100000001 {folder.Path}/in | head -c 1000)");
    }

    [Fact]
    public async Task A_tree_comes_out_as_an_archive_and_goes_in_as_one()
    {
        using var folder = new Scratch();
        await _computer.BashAsync("mkdir -p /root/tree/a/b && cd /root/tree && head -c 1000000 /dev/urandom > a/b/file && ln -s a/b/file link && touch 'sp ace' && chmod 700 a");

        await CurlAsync("-o", $"{folder.Path}/tree.tar", Url("root/tree") + "?archive=tar");
        await CurlAsync("-T", $"{folder.Path}/tree.tar", Url("root/copy") + "?archive=tar&parents=true");
        await ShellAsync($"mkdir {folder.Path}/tree && tar -xf {folder.Path}/tree.tar -C {folder.Path}/tree && test -L {folder.Path}/tree/link && test -e {folder.Path}/tree/link");

        await _computer.BashAsync("diff -r /root/tree /root/copy && test -L /root/copy/link && test $(stat -c %a /root/copy/a) = 700");
        var inside = await _computer.BashAsync("sha256sum < /root/tree/a/b/file");
        Assert.Equal(inside, await ShellAsync($"sha256sum < {folder.Path}/tree/a/b/file"));
    }

    [Fact]
    public async Task Uploads_appear_on_running_computers_and_on_those_started_later()
    {
        var workspace = await _api.NewWorkspaceAsync();
        var one = await _api.NewComputerAsync(workspace, "one");
        using var folder = new Scratch();
        await File.WriteAllTextAsync($"{folder.Path}/all.txt", "for all");
        await File.WriteAllTextAsync($"{folder.Path}/one.txt", "for one");

        await CurlAsync("-F", $"file=@{folder.Path}/all.txt", "-F", $"projectId={workspace}", Root("api/files/upload"));
        await CurlAsync("-F", $"projectId={workspace}", "-F", $"desktopId={one.InstanceId}", "-F", $"file=@{folder.Path}/one.txt;filename=Größe.txt", Root("api/files/upload"));
        Assert.Equal("for allfor one", await one.BashAsync("cat /root/Desktop/all.txt /root/Desktop/Größe.txt"));
        Assert.Equal("root", (await one.BashAsync("stat -c %U /root/Desktop/all.txt")).Trim());

        var two = await _api.NewComputerAsync(workspace, "two");
        await Computer.UntilAsync(async () => await two.BashAsync("cat /root/Desktop/all.txt 2> /dev/null || true") == "for all", "the file is on the new desktop");
        Assert.Equal("absent\n", await two.BashAsync("test -e /root/Desktop/Größe.txt || echo absent"));
    }

    [Fact]
    public async Task An_export_opens_without_a_login_and_stays_at_home()
    {
        await _computer.BashAsync("mkdir -p /root/Desktop && printf 'the report' > /root/Desktop/report.txt && ln -sf /etc/hostname /root/outside");

        var exported = Api.Expect(await _api.PostAsync("/api/files/export", new { desktopId = _computer.Id, path = "Desktop/report.txt" }), HttpStatusCode.OK);
        using var stranger = new HttpClient();
        Assert.Equal("the report", await stranger.GetStringAsync(exported.Text("url")));
        Assert.Equal(HttpStatusCode.Forbidden, (await _api.PostAsync("/api/files/export", new { desktopId = _computer.Id, path = "outside" })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _api.PostAsync("/api/files/export", new { desktopId = _computer.Id, path = "~/none" })).Status);
    }

    [Fact]
    public async Task Refusals_have_their_codes()
    {
        await _computer.BashAsync("mkfifo /root/pipe; mkdir -p /root/full/x");

        Assert.Equal("not_found", (await _api.GetAsync($"{_computer.Path}/fs/none")).Code);
        Assert.Equal("not_a_file", (await _api.GetAsync($"{_computer.Path}/fs/root/pipe")).Code);
        Assert.Equal("not_a_file", (await _api.GetAsync($"{_computer.Path}/fs/dev/zero")).Code);
        Assert.Equal("not_empty", (await _api.DeleteAsync($"{_computer.Path}/fs/root/full")).Code);
        Assert.Equal(HttpStatusCode.OK, (await _api.DeleteAsync($"{_computer.Path}/fs/root/full?recursive=true")).Status);
        Assert.Equal("access_denied", (await _api.SendAsync(HttpMethod.Put, $"{_computer.Path}/fs/opt/carrel/deskd/x", new { })).Code);
    }

    [Fact]
    public async Task Five_gigabytes_come_out_without_the_server_growing()
    {
        await _computer.BashAsync("truncate -s 5G /root/huge && printf here | dd of=/root/huge bs=1 seek=4999999990 conv=notrunc status=none");
        var before = ResidentBytes();

        var hash = await ShellAsync($"curl -sf -H '{Key}' '{Url("root/huge")}' | tail -c +4999999991 2> /dev/null | head -c 4");

        Assert.Equal("here", hash);
        Assert.InRange(ResidentBytes() - before, long.MinValue, 150L << 20);
    }

    private long ResidentBytes() => long.Parse(
        File.ReadLines($"/proc/{shared.Installation.ServerPid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture) * 1024;

    private string Root(string path) => new Uri(shared.Installation.Address, path).AbsoluteUri;

    private string Url(string path) => Root($"{_computer.Path}/fs/{Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)}");

    private Task<string> CurlAsync(params string[] arguments) => RunAsync("curl", ["-sS", "--fail-with-body", "-H", Key, .. arguments]);

    private static Task<string> ShellAsync(string command) => RunAsync("bash", ["-c", command]);

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        var (code, output) = await HostProcess.RunAsync(program, arguments);
        Assert.True(code == 0, $"{program} ended with {code}: {output}");
        return output;
    }

    private sealed class Scratch : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("carrel-files-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
