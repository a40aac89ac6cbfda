using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class CreateTests
{
    [Fact]
    public async Task A_created_computer_is_running_and_its_answer_holds_everything_to_use_it()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var created = (await server.PostAsync("/api/computers", new { workspace_id = workspace, name = "hello" })).Expect(201);

        Assert.Equal("running", created.Text("status"));
        var instance = created.Text("instance_id");
        Assert.Matches("^[0-9a-f]{8}$", instance);
        Assert.Equal(instance, created.Text("fly_instance_id"));
        Assert.Equal(workspace, created.Text("project_id"));
        var machine = server.World.Machines[instance];
        Assert.Equal(machine.Identity!.VncPassword, created.Text("vnc_password"));
        Assert.Equal(machine.Identity.Token, created.Json.GetProperty("instance_details").GetProperty("desktop_api_token").GetString());
        Assert.Equal(1, machine.Limits.Cpus);
        var got = (await server.GetAsync("/api/computers/" + instance)).Expect(200);
        Assert.Equal(created.Body, got.Body);
    }
}
