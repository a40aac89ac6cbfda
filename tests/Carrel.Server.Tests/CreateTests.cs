using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class CreateTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Fact]
    public async Task A_created_computer_is_running_and_its_answer_holds_everything_to_use_it()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var created = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "hello", auto_stop_minutes = 15 })).Expect(201);

        Assert.Equal("running", created.Text("status"));
        var instance = created.Text("instance_id");
        Assert.Matches("^[0-9a-f]{8}$", instance);
        Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", created.Text("id"));
        Assert.Equal(instance, created.Text("fly_instance_id"));
        Assert.Equal(workspace, created.Text("workspace_id"));
        Assert.Equal(workspace, created.Text("project_id"));
        Assert.Equal("default", created.Text("project_name"));
        Assert.Equal($"{server.Address}desktops/{instance}", created.Text("connection_url"));
        Assert.Equal(server.Address.Authority, created.Text("hostname"));
        Assert.Equal("1280x720x24", created.Text("resolution"));
        Assert.Equal((4, 1.0, 8, 15), (created.Int("ram"), created.Json.GetProperty("cpu").GetDouble(), created.Int("disk_size_gb"), created.Int("auto_stop_minutes")));
        Assert.True(created.Json.GetProperty("permissions").GetProperty("canWrite").GetBoolean());
        Assert.False(created.Json.GetProperty("memory_survives_stop").GetBoolean());
        Assert.EndsWith("Z", created.Text("created_at").Replace("+00:00", "Z", StringComparison.Ordinal), StringComparison.Ordinal);

        var machine = server.World.Machines[instance];
        var details = created.Json.GetProperty("instance_details");
        Assert.Matches("^[0-9a-f]{16}$", created.Text("vnc_password"));
        Assert.Equal(machine.Identity!.VncPassword, created.Text("vnc_password"));
        Assert.Equal(machine.Identity.Token, details.GetProperty("desktop_api_token").GetString());
        Assert.Equal(server.Address.Port, details.GetProperty("apiPort").GetInt32());
        Assert.Equal((1280, 720), (machine.Identity.Width, machine.Identity.Height));
        Assert.Equal(4L << 30, machine.Spec.Limits.MemoryBytes);
        Assert.Equal(8L << 30, machine.Spec.Limits.DiskBytes);
        Assert.Equal(1, machine.Limits.Cpus);
    }

    [Fact]
    public async Task A_computer_answers_to_each_of_its_ids()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var first = (await server.GetAsync("/api/computers/" + id)).Expect(200);

        foreach (var name in new[] { machine.Id, "orgo-" + id, "orgo-" + machine.Id, id.ToUpperInvariant() })
        {
            Assert.Equal(first.Body, (await server.GetAsync("/api/computers/" + name)).Expect(200).Body);
        }
    }

    [Fact]
    public async Task Fields_of_older_clients_are_understood()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var created = (await server.PostAsync(
            "/api/computers", new { project_id = workspace, name = "old", memory = 8, cpu = 0.5, gpu = "none", image = "registry/image:tag", resolution = "1024x768" })).Expect(201);

        Assert.Equal(8, created.Int("ram"));
        Assert.Equal("1024x768x24", created.Text("resolution"));
    }

    [Theory]
    [InlineData("""{"name":"a"}""", "workspace_id", "missing_field")]
    [InlineData("""{"workspace_id":"W"}""", "name", "missing_field")]
    [InlineData("""{"workspace_id":"W","name":""}""", "name")]
    [InlineData("""{"workspace_id":"W","name":"   "}""", "name")]
    [InlineData("""{"workspace_id":"W","name":7}""", "name")]
    [InlineData("""{"workspace_id":"W","name":"a\u0007b"}""", "name")]
    [InlineData("""{"workspace_id":7,"name":"a"}""", "workspace_id")]
    [InlineData("""{"workspace_id":"W","name":"a","os":"windows"}""", "os")]
    [InlineData("""{"workspace_id":"W","name":"a","os":1}""", "os")]
    [InlineData("""{"workspace_id":"W","name":"a","cpu":3}""", "cpu")]
    [InlineData("""{"workspace_id":"W","name":"a","cpu":"1"}""", "cpu")]
    [InlineData("""{"workspace_id":"W","name":"a","ram":5}""", "ram")]
    [InlineData("""{"workspace_id":"W","name":"a","ram":-4}""", "ram")]
    [InlineData("""{"workspace_id":"W","name":"a","ram":1e99}""", "ram")]
    [InlineData("""{"workspace_id":"W","name":"a","disk_size_gb":0}""", "disk_size_gb")]
    [InlineData("""{"workspace_id":"W","name":"a","disk_size_gb":1.5}""", "disk_size_gb")]
    [InlineData("""{"workspace_id":"W","name":"a","resolution":"big"}""", "resolution")]
    [InlineData("""{"workspace_id":"W","name":"a","resolution":"10x10x24"}""", "resolution")]
    [InlineData("""{"workspace_id":"W","name":"a","resolution":"1280x720x13"}""", "resolution")]
    [InlineData("""{"workspace_id":"W","name":"a","auto_stop_minutes":-1}""", "auto_stop_minutes")]
    [InlineData("""{"workspace_id":"W","name":"a","template_ref":"system/x@1"}""", "template_ref")]
    [InlineData("[]", "object", "invalid_json")]
    [InlineData("{", "valid JSON", "invalid_json")]
    [InlineData("\"x\"", "object", "invalid_json")]
    public async Task A_field_that_is_wrong_is_named_and_nothing_is_made(string body, string named, string code = "invalid_field")
    {
        var server = shared.Server;
        var workspace = await server.WorkspaceAsync(Guid.CreateVersion7().ToString());

        (await server.PostAsync("/api/computers", body.Replace("\"W\"", $"\"{workspace}\"", StringComparison.Ordinal))).ExpectError(400, code, named);

        Assert.Empty(server.World.Steps);
        Assert.Equal(0, (await server.GetAsync("/api/workspaces/" + workspace)).Int("computer_count"));
    }

    [Fact]
    public async Task An_unknown_workspace_is_404()
    {
        await using var server = await RunningServer.StartAsync();

        (await server.PostAsync("/api/computers", new { workspace_id = Guid.Empty, name = "a" })).ExpectError(404, "not_found", "workspace");
    }

    [Fact]
    public async Task Of_fifty_creates_of_one_name_at_once_one_wins_and_the_others_are_told()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => server.PostAsync("/api/computers", new { workspace_id = workspace, name = "one" })));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ExpectError(409, "name_taken", "already exists"));
        Assert.Single(server.World.Machines);
        Assert.Single(server.World.Disks);
    }

    [Theory]
    [InlineData("launch", ErrorCodes.HostDiskFull, 507)]
    [InlineData("launch", ErrorCodes.LaunchFailed, 500)]
    [InlineData("launch", ErrorCodes.HostNotReady, 503)]
    [InlineData("resize", ErrorCodes.LaunchFailed, 500)]
    public async Task A_create_that_fails_says_why_and_leaves_nothing(string step, string code, int status)
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        server.World.Fails = (at, _) => at == step ? new Failure(code, "It did not work.") : null;

        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" })).ExpectError(status, code, "did not work");

        await AssertNothingAsync(server, workspace);
        server.World.Fails = (_, _) => null;
        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" })).Expect(201);
    }

    [Fact]
    public async Task A_bug_in_the_host_leaves_nothing_either()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        server.World.At = (step, _) => step == "launch" ? throw new InvalidOperationException("bug") : Task.CompletedTask;

        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" })).ExpectError(500, "internal_error");

        await AssertNothingAsync(server, workspace);
    }

    [Fact]
    public async Task A_desktop_that_never_paints_fails_in_time_and_leaves_nothing()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { ReadyTimeout = TimeSpan.FromMilliseconds(300) });
        var workspace = await server.WorkspaceAsync();
        server.World.Made = machine => machine.Painted = new TaskCompletionSource();

        (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" })).ExpectError(504, "desktop_timeout");

        await AssertNothingAsync(server, workspace);
    }

    [Fact]
    public async Task A_machine_that_dies_while_it_boots_fails_at_once_and_leaves_nothing()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        server.World.Made = machine =>
        {
            machine.Painted = new TaskCompletionSource();
            machine.Answer = (_, seen) =>
            {
                if (seen.Path == "/ready")
                {
                    machine.End(new MachineExit(1, false));
                }

                return Task.FromResult(false);
            };
        };

        var answer = await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "a" });

        Assert.Contains(answer.Text("code"), new[] { ErrorCodes.LaunchFailed, ErrorCodes.DesktopUnreachable });
        await AssertNothingAsync(server, workspace);
    }

    [Fact]
    public async Task A_create_goes_on_when_its_client_goes_away()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        server.World.At = async (step, _) =>
        {
            if (step == "launch")
            {
                reached.SetResult();
                await goOn.Task;
            }
        };
        using var leaving = new CancellationTokenSource();
        var request = server.Client.PostAsync(
            new Uri("/api/computers", UriKind.Relative), System.Net.Http.Json.JsonContent.Create(new { workspace_id = workspace, name = "a" }), leaving.Token);
        await reached.Task;
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        goOn.SetResult();

        await Assert.Single(server.Get<Computers.ComputerRegistry>().All).Settled;
        var desktop = (await server.GetAsync("/api/workspaces/" + workspace)).Json.GetProperty("desktops")[0];
        Assert.Equal("running", desktop.GetProperty("status").GetString());
    }

    private static async Task AssertNothingAsync(RunningServer server, string workspace)
    {
        Assert.Empty(server.World.Machines);
        Assert.Empty(server.World.Disks);
        Assert.Equal(0, (await server.GetAsync("/api/workspaces/" + workspace)).Int("computer_count"));
        Assert.Empty(server.Get<Computers.ComputerRegistry>().All);
        Assert.Empty(await server.Get<Computers.ComputerStore>().AllAsync());
    }
}
