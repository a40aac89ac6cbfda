using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Copies;

public sealed partial class CloneTests(SharedInstallation shared)
{
    private readonly Api _api = shared.Api;

    [Fact]
    public async Task A_clone_has_the_files_and_the_browser_of_its_source_which_goes_on()
    {
        var source = await _api.NewComputerAsync(name: "source");
        await source.BashAsync("""
            head -c 200M /dev/urandom > /root/data; mkdir -p /srv/app; echo one > /srv/app/state; sync -f /root; rm -rf /usr/share/icons/hicolor
            (setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i >> /root/journal; done' > /dev/null 2>&1 &)
            (setsid chromium about:blank > /dev/null 2>&1 &)
            """);
        var hash = await source.BashAsync("sha256sum < /root/data");
        await Computer.UntilAsync(async () => await source.BashAsync("[ -L /root/.config/chromium/SingletonLock ] && echo yes || true") == "yes\n", "Chromium runs", 60);

        var answer = Api.Expect(await _api.PostAsync($"{source.Path}/clone"), HttpStatusCode.Created);
        var clone = new Computer(_api, answer.Json);

        Assert.Equal(("source (clone)", "running", 0), (answer.Text("name"), answer.Text("status"), answer.Json["auto_stop_minutes"]!.GetValue<int>()));
        Assert.InRange(FrozenIn(answer), 0.1, 60_000);
        Assert.Equal("running", await source.StatusAsync());
        await source.BashAsync("a=$(wc -l < /root/journal); for i in $(seq 300); do [ $(wc -l < /root/journal) -gt $a ] && exit 0; sleep 0.1; done; exit 1");
        Assert.Equal(hash, await clone.BashAsync("sha256sum < /root/data"));
        Assert.Equal("one\nno icons\n", await clone.BashAsync("cat /srv/app/state; [ -e /usr/share/icons/hicolor ] || echo no icons"));
        // Line by line: what was written before the freeze is there, in order, up to one moment.
        Assert.Equal("", await clone.BashAsync("head -n -1 /root/journal | awk '$1 != NR { print NR; exit }'"));

        // It is somebody else.
        const string Who = "cat /etc/machine-id; hostname; ip -br addr show dev eth0 | wc -l";
        Assert.NotEqual(await source.BashAsync(Who), await clone.BashAsync(Who));
        Assert.NotEqual(source.Created["instance_details"]!["desktop_api_token"]!.GetValue<string>(), clone.Created["instance_details"]!["desktop_api_token"]!.GetValue<string>());

        // The profile's lock names a process of the source.
        await clone.BashAsync("(setsid chromium about:blank > /dev/null 2>&1 &)");
        await Computer.UntilAsync(
            async () => await clone.BashAsync("readlink /root/.config/chromium/SingletonLock | grep -c \"^$(hostname)-\" || true") == "1\n", "Chromium starts in the clone", 60);

        await clone.BashAsync("echo two > /srv/app/state");
        Assert.Equal("one\n", await source.BashAsync("cat /srv/app/state"));
        Api.Expect(await _api.DeleteAsync(source.Path), HttpStatusCode.OK);
        Assert.Equal(hash, await clone.BashAsync("sha256sum < /root/data"));
        Api.Expect(await _api.DeleteAsync(clone.Path), HttpStatusCode.OK);
        Assert.DoesNotContain(await Leftovers.OfAsync(shared.Installation), left => left.Contains(source.InstanceId, StringComparison.Ordinal) || left.Contains(clone.InstanceId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clones_of_a_stopped_computer_and_snapshots_stand_on_their_own()
    {
        var source = await _api.NewComputerAsync(name: "kept", more: new { disk_size_gb = 3 });
        await source.BashAsync("head -c 40M /dev/urandom > /root/data; mkdir -p /root/.config/chromium/Default; echo cookies > /root/.config/chromium/Default/Cookies");
        var hash = await source.BashAsync("sha256sum < /root/data");
        var snapshot = Api.Expect(await _api.PostAsync($"{source.Path}/snapshots", new { name = "before", description = "all is well" }), HttpStatusCode.Created);
        Assert.InRange(snapshot.Json["size_bytes"]!.GetValue<long>(), 40L << 20, 1L << 30);
        await source.BashAsync("rm -r /root/data /root/.config/chromium; echo later > /root/later");

        // Running: it is restarted from the disk as it was.
        var restored = Api.Expect(await _api.PostAsync($"{source.Path}/snapshots/{snapshot.Text("id")}/restore"), HttpStatusCode.OK);
        Assert.Equal("running", restored.Text("status"));
        Assert.Equal(hash + "cookies\ngone\n", await source.BashAsync("sha256sum < /root/data; cat /root/.config/chromium/Default/Cookies; [ -e /root/later ] || echo gone"));

        // Stopped: it stays so.
        await source.BashAsync("rm /root/data");
        await source.DoAsync("stop");
        Assert.Equal("stopped", Api.Expect(await _api.PostAsync($"{source.Path}/snapshots/{snapshot.Text("id")}/restore"), HttpStatusCode.OK).Text("status"));
        var clone = new Computer(_api, Api.Expect(await _api.PostAsync($"{source.Path}/clone", new { name = "copy" }), HttpStatusCode.Created).Json);
        Assert.Equal(hash, await clone.BashAsync("sha256sum < /root/data"));

        // Another begins with it, larger.
        var begun = await _api.NewComputerAsync(name: "begun", more: new { snapshot_id = snapshot.Text("id"), disk_size_gb = 5 });
        Assert.Equal(hash, await begun.BashAsync("sha256sum < /root/data"));
        Assert.InRange(int.Parse(await begun.BashAsync("df -BM --output=size / | tail -1 | tr -dc 0-9"), CultureInfo.InvariantCulture), 4800, 5120);
        Assert.Single((await _api.GetAsync($"{source.Path}/snapshots")).Json["snapshots"]!.AsArray());

        Api.Expect(await _api.DeleteAsync(source.Path), HttpStatusCode.OK);
        Assert.Equal(hash, await begun.BashAsync("sha256sum < /root/data"));
        Assert.DoesNotContain(await Leftovers.OfAsync(shared.Installation), left => left.Contains(snapshot.Text("id"), StringComparison.Ordinal));
        await _api.DeleteAsync(begun.Path);
        await _api.DeleteAsync(clone.Path);
    }

    private static double FrozenIn(Answer answer) => double.Parse(
        Frozen().Match(answer.Raw.Headers.GetValues("Server-Timing").Single()).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^frozen;dur=([0-9.]+)$")]
    private static partial Regex Frozen();
}

/// <summary>kill -9 of the server in the middle of copies; the world must agree with what it says afterwards.</summary>
public sealed class CopyRecoveryTests
{
    [Fact]
    public async Task A_killed_server_leaves_no_half_copy_and_no_frozen_computer()
    {
        await using var installation = await Installation.StartNewAsync();
        var workspace = await installation.Api.NewWorkspaceAsync();
        var source = await installation.Api.NewComputerAsync(workspace, "source");
        await source.BashAsync("head -c 100M /dev/urandom > /root/data; echo then > /root/note; (setsid sh -c 'while :; do date +%s%N >> /root/ticks; sleep 0.01; done' > /dev/null 2>&1 &)");
        var hash = await source.BashAsync("sha256sum < /root/data");
        var snapshot = Api.Expect(await installation.Api.PostAsync($"{source.Path}/snapshots"), HttpStatusCode.Created).Text("id");
        for (var point = 0; point < 12; point++)
        {
            var api = installation.Api;
            source = new Computer(api, source.Created);
            await source.BashAsync("echo now > /root/note; head -c 5M /dev/urandom > /root/dirt");
            Task[] underway = point % 3 == 2
                ? [Ignore(api.PostAsync($"{source.Path}/snapshots/{snapshot}/restore"))]
                : [Ignore(api.PostAsync($"{source.Path}/clone")), Ignore(api.PostAsync($"{source.Path}/snapshots"))];
            await Task.Delay(TimeSpan.FromMilliseconds(point * 20), TimeProvider.System, TestContext.Current.CancellationToken);
            await installation.KillAsync();
            await Task.WhenAll(underway);
            await installation.StartAsync();

            api = installation.Api;
            source = new Computer(api, source.Created);
            await Computer.UntilAsync(async () => await source.StatusAsync() == "running", $"point {point}: the source runs", 90);
            // Neither frozen nor half: the old disk or the new one.
            Assert.Equal(hash, await source.BashAsync("sha256sum < /root/data && echo alive > /root/alive"));
            Assert.Contains(await source.BashAsync("cat /root/note"), (string[])["then\n", "now\n"]);
            foreach (var desktop in (await api.GetAsync($"/api/workspaces/{workspace}")).Json["desktops"]!.AsArray().Where(desktop => desktop!["id"]!.GetValue<string>() != source.Id))
            {
                var clone = new Computer(api, desktop!.AsObject()); // It was answered for before the kill.
                Assert.Equal(hash, await clone.BashAsync("sha256sum < /root/data"));
                Api.Expect(await api.DeleteAsync(clone.Path), HttpStatusCode.OK);
            }

            foreach (var other in (await api.GetAsync($"{source.Path}/snapshots")).Json["snapshots"]!.AsArray().Select(other => other!["id"]!.GetValue<string>()).Where(other => other != snapshot))
            {
                Api.Expect(await api.DeleteAsync($"{source.Path}/snapshots/{other}"), HttpStatusCode.OK);
            }

            Assert.DoesNotContain(
                await Leftovers.OfAsync(installation),
                left => !left.StartsWith("slot ", StringComparison.Ordinal) && !left.Contains(source.InstanceId, StringComparison.Ordinal) && !left.Contains(snapshot, StringComparison.Ordinal));
        }
    }

    private static async Task Ignore(Task<Answer> request)
    {
        try
        {
            await request;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
        {
            // The server was killed under it: that is the point.
        }
    }
}
