using System.Globalization;
using System.Net;
using Carrel.Testbed;

namespace Carrel.Bench;

/// <summary>Clones, snapshots, and what is on a disk after many stops and starts.</summary>
internal sealed class Copies(Installation installation, int count, IProgress<string> progress)
{
    private const string Peer = "cp --sparse=always of its disk, without a boot";
    private readonly Api _api = installation.Api;

    /// <summary>
    /// From the call to a clone that can be used, of a running computer with 200 MB on its disk that the image has not, and some MB written just
    /// before.
    /// </summary>
    internal async Task<IReadOnlyList<Row>> ClonesAsync()
    {
        var source = await _api.NewComputerAsync(name: "source", more: new { cpu = 2 });
        await source.BashAsync("head -c 200M /dev/urandom > /root/data; sync -f /root");
        var (clone, frozen, peer) = await SeriesAsync("clone", source, "head -c 5M /dev/urandom > /root/dirt", withPeer: true);
        await _api.DeleteAsync(source.Path);
        return [new Row("clone", "ms", clone, 400, peer, Peer), new Row("clone-frozen", "ms", frozen, 100, TargetPercentile: 95)];
    }

    /// <summary>The same with all 200 MB written anew just before, so that they have to be written out first.</summary>
    internal async Task<IReadOnlyList<Row>> DirtyClonesAsync()
    {
        var source = await _api.NewComputerAsync(name: "source", more: new { cpu = 2 });
        var (clone, frozen, _) = await SeriesAsync("clone-dirty", source, "head -c 200M /dev/urandom > /root/data", withPeer: false);
        await _api.DeleteAsync(source.Path);
        return [new Row("clone-dirty", "ms", clone), new Row("clone-dirty-frozen", "ms", frozen, 100, TargetPercentile: 95)];
    }

    internal async Task<IReadOnlyList<Row>> SnapshotsAsync()
    {
        var source = await _api.NewComputerAsync(name: "source", more: new { cpu = 2 });
        await source.BashAsync("head -c 200M /dev/urandom > /root/data; sync -f /root");
        var (take, frozen, delete) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = -3; i < count; i++)
        {
            progress.Report($"snapshot {i + 1}/{count}");
            await source.BashAsync("head -c 5M /dev/urandom > /root/dirt");
            Answer? taken = null;
            var took = await Measure.MillisecondsAsync(async () => taken = Api.Expect(await _api.PostAsync($"{source.Path}/snapshots"), HttpStatusCode.Created));
            var removed = await Measure.MillisecondsAsync(() => _api.DeleteAsync($"{source.Path}/snapshots/{taken!.Text("id")}"));
            if (i >= 0)
            {
                take.Add(took);
                frozen.Add(FrozenIn(taken!));
                delete.Add(removed);
            }
        }

        await _api.DeleteAsync(source.Path);
        return [new Row("snapshot", "ms", take), new Row("snapshot-frozen", "ms", frozen, 100, TargetPercentile: 95), new Row("snapshot-delete", "ms", delete)];
    }

    /// <summary>
    /// A tree of random files, looked at after every stop and start: 500 MB, and with <c>--n 100</c> or more the whole 5 GB.
    /// </summary>
    internal async Task<IReadOnlyList<Row>> StopStartAsync()
    {
        var (files, megabytes) = count >= 100 ? (500, 10) : (250, 2);
        var computer = await _api.NewComputerAsync(more: new { cpu = 2, disk_size_gb = 12 });
        await computer.BashAsync($"""
            mkdir /root/tree && cd /root/tree && for i in $(seq {files}); do mkdir -p d$((i % 17)) && head -c $(({megabytes} * 1048576 + i)) /dev/urandom > d$((i % 17))/f$i || exit 1; done
            find . -type f -print0 | sort -z | xargs -0 sha256sum > /root/sums
            """, timeout: 190);
        var (stop, start, wrong) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < count; i++)
        {
            progress.Report($"stop-start-hashes {i + 1}/{count}");
            stop.Add(await Measure.MillisecondsAsync(() => computer.DoAsync("stop")));
            start.Add(await Measure.MillisecondsAsync(() => computer.DoAsync("start")));
            wrong.Add(int.Parse(
                await computer.BashAsync($"cd /root/tree && [ $(wc -l < /root/sums) = {files} ] && sha256sum -c --quiet /root/sums 2>/dev/null | wc -l", timeout: 190),
                CultureInfo.InvariantCulture));
        }

        await _api.DeleteAsync(computer.Path);
        return [new Row("stop", "ms", stop), new Row("start", "ms", start), new Row("stop-start-hashes-wrong", "count", wrong, 0, TargetPercentile: 100)];
    }

    private async Task<(List<double> Clone, List<double> Frozen, List<double> Peer)> SeriesAsync(string name, Computer source, string before, bool withPeer)
    {
        var (clone, frozen, peer) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = -3; i < count; i++)
        {
            progress.Report($"{name} {i + 1}/{count}");
            await source.BashAsync(before);
            Answer? made = null;
            var took = await Measure.MillisecondsAsync(async () => made = Api.Expect(await _api.PostAsync($"{source.Path}/clone"), HttpStatusCode.Created));
            await _api.DeleteAsync(new Computer(_api, made!.Json).Path);
            var theirs = withPeer ? await CopyAsync(source) : 0;
            if (i >= 0)
            {
                clone.Add(took);
                frozen.Add(FrozenIn(made));
                peer.Add(theirs);
            }
        }

        return (clone, frozen, peer);
    }

    private async Task<double> CopyAsync(Computer source)
    {
        var disk = Directory.EnumerateFiles("/run/carrel", "disk.img", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(installation.Data, "disk.img", SearchOption.AllDirectories))
            .First(file => file.Contains($"/disks/{source.InstanceId}/", StringComparison.Ordinal));
        var copy = disk + ".copy";
        var took = await Measure.MillisecondsAsync(() => HostProcess.RunAsync("cp", "--sparse=always", "--reflink=never", disk, copy));
        File.Delete(copy);
        return took;
    }

    private static double FrozenIn(Answer answer) => double.Parse(
        answer.Raw.Headers.GetValues("Server-Timing").Single().Split('=')[1], CultureInfo.InvariantCulture);
}
