using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Carrel.Testbed;
using Xunit;

namespace Carrel.EndToEnd.Orders;

/// <summary>A client that repeats what it asked for, over a server that is killed under it, gets it once and is told the truth.</summary>
public sealed class RepeatedOrderTests
{
    [Fact]
    public async Task Creates_that_are_repeated_with_their_key_after_a_kill_make_one_computer_each()
    {
        await using var installation = await Installation.StartNewAsync();
        var workspace = await installation.Api.NewWorkspaceAsync();
        for (var point = 0; point < 6; point++)
        {
            var name = $"c{point}";
            var (waiting, later) = (CreateAsync(installation, workspace, name), CreateAsync(installation, workspace, name + "-async", "?async=true"));
            await Task.Delay(TimeSpan.FromMilliseconds(point * 150), TimeProvider.System, TestContext.Current.CancellationToken);
            await installation.KillAsync();
            await Task.WhenAll(Ignore(waiting), Ignore(later));
            await installation.StartAsync();

            var (status, made) = await CreateAsync(installation, workspace, name);
            Assert.Equal(HttpStatusCode.Created, status);
            var computer = new Computer(installation.Api, made);
            await computer.DoAsync("ensure-running");
            Assert.Equal("ok\n", await computer.BashAsync("echo ok"));

            // A 202 that was given stays; its operation tells what the kill made of it.
            (status, made) = await CreateAsync(installation, workspace, name + "-async", "?async=true");
            Assert.True(status is HttpStatusCode.Accepted or HttpStatusCode.Created, $"{status}: {made}");
            if (made["operation_id"] is { } operation)
            {
                var ended = "";
                await Computer.UntilAsync(async () => (ended = (await installation.Api.GetAsync($"/api/operations/{operation}")).Text("status")) is "succeeded" or "failed", "it ended", 60);
                var there = await installation.Api.GetAsync($"/api/computers/{made["id"]}");
                Assert.Equal(ended == "succeeded" ? HttpStatusCode.OK : HttpStatusCode.NotFound, there.Status);
            }

            var names = (await installation.Api.GetAsync($"/api/workspaces/{workspace}")).Json["desktops"]!.AsArray().Select(desktop => desktop!["name"]!.GetValue<string>()).ToList();
            Assert.Single(names, name);
            Assert.True(names.Count <= 2, string.Join(", ", names));
            foreach (var desktop in (await installation.Api.GetAsync($"/api/workspaces/{workspace}")).Json["desktops"]!.AsArray())
            {
                Api.Expect(await installation.Api.DeleteAsync($"/api/computers/{desktop!["id"]}"), HttpStatusCode.OK);
            }
        }
    }

    private static async Task<(HttpStatusCode Status, JsonObject Json)> CreateAsync(Installation installation, string workspace, string name, string query = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/computers" + query) { Content = JsonContent.Create(new { workspace_id = workspace, name }) };
        request.Headers.Add("Idempotency-Key", "key of " + name);
        using var answer = await installation.Api.Http.SendAsync(request);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject());
    }

    private static async Task Ignore(Task request)
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
