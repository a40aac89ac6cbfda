using System.Net.Http.Headers;
using System.Text;
using Carrel.Contracts.Deskd;
using Carrel.Machines;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>Files kept for a workspace (reference section 8).</summary>
public sealed class FileTests
{
    [Theory]
    [InlineData("projectId", true)]
    [InlineData("workspaceId", false)]
    [InlineData("project_id", true)]
    [InlineData("workspace_id", false)]
    public async Task An_upload_is_kept_listed_linked_and_forgotten(string field, bool fieldFirst)
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var file = (await UploadAsync(server, "größe 世界.txt", "contents", "text/plain", fieldFirst, (field, workspace))).Expect(200).Json.GetProperty("file");

        Assert.Equal(("größe 世界.txt", 8, "text/plain"), (
            file.GetProperty("filename").GetString(), file.GetProperty("size_bytes").GetInt32(), file.GetProperty("content_type").GetString()));
        var id = file.GetProperty("id").GetString()!;
        var listed = (await server.GetAsync($"/api/files?{field}={workspace}")).Expect(200).Json.GetProperty("files").EnumerateArray().Single();
        Assert.Equal((id, "upload"), (listed.GetProperty("id").GetString(), listed.GetProperty("source").GetString()));
        Assert.Equal([id], Directory.GetFiles(Path.Combine(server.Data, "files")).Select(Path.GetFileName));

        var url = (await server.GetAsync($"/api/files/download?id={id}")).Expect(200).Text("url");
        using (var stranger = await server.Anonymous.GetAsync(url))
        {
            Assert.Equal((200, "contents"), ((int)stranger.StatusCode, await stranger.Content.ReadAsStringAsync()));
            Assert.Equal("attachment", stranger.Content.Headers.ContentDisposition!.DispositionType);
            Assert.Equal("größe 世界.txt", stranger.Content.Headers.ContentDisposition.FileNameStar);
            Assert.Equal("nosniff", stranger.Headers.GetValues("X-Content-Type-Options").Single());
        }

        using (var part = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(3, 5) } })
        {
            using var partial = await server.Anonymous.SendAsync(part);
            Assert.Equal((206, "ten"), ((int)partial.StatusCode, await partial.Content.ReadAsStringAsync()));
        }

        (await server.DeleteAsync($"/api/files/delete?id={id}")).Expect(200);
        (await server.DeleteAsync($"/api/files/delete?id={id}")).ExpectError(404, "not_found");
        (await server.GetAsync($"/api/files/download?id={id}")).ExpectError(404, "not_found");
        (await server.GetAsync(url, server.Anonymous)).ExpectError(404, "not_found");
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Data, "files")));
    }

    [Fact]
    public async Task A_link_ends_after_an_hour_and_cannot_be_made_up()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var id = await UploadedAsync(server, workspace, "x.html", "<script>");
        var url = (await server.GetAsync($"/api/files/download?id={id}")).Text("url");

        Assert.Equal("application/octet-stream", (await server.GetAsync(url, server.Anonymous)).Expect(200).MediaType);
        (await server.GetAsync(url.Replace("signature=", "signature=x", StringComparison.Ordinal), server.Anonymous)).ExpectError(403, "access_denied");
        (await server.GetAsync($"/files/{id}", server.Anonymous)).ExpectError(403, "access_denied");
        server.Clock.Ahead = TimeSpan.FromMinutes(61);
        (await server.GetAsync(url, server.Anonymous)).ExpectError(403, "access_denied");
    }

    [Fact]
    public async Task What_is_wrong_with_an_upload_is_told_and_leaves_nothing()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { MaxUploadBytes = 100_000 });
        var workspace = await server.WorkspaceAsync();
        var other = await server.WorkspaceAsync("other");
        var (id, _) = await server.ComputerAsync();

        (await UploadAsync(server, "x", new string('x', 100_001), "text/plain", false, ("projectId", workspace))).ExpectError(400, "payload_too_large", "100000");
        (await UploadAsync(server, "x", new string('x', 20_000_000), "text/plain", false, ("projectId", workspace))).ExpectError(400, "payload_too_large");
        (await UploadAsync(server, "x", "x", "text/plain", false)).ExpectError(400, "missing_field", "Missing projectId");
        (await UploadAsync(server, null, null, null, true, ("projectId", workspace))).ExpectError(400, "missing_field", "file");
        (await UploadAsync(server, "x", "x", null, true, ("projectId", Guid.Empty.ToString()))).ExpectError(404, "not_found");
        (await UploadAsync(server, "x", "x", null, true, ("projectId", other), ("desktopId", id))).ExpectError(404, "not_found");
        (await UploadAsync(server, "x", "x", null, true, ("projectId", other), ("desktopId", "00000000"))).ExpectError(404, "not_found");
        (await server.PostAsync("/api/files/upload", new { projectId = workspace })).ExpectError(400, "missing_field", "multipart");
        using (var torn = new StringContent("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nhalf"))
        {
            torn.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
            using var answer = await server.Client.PostAsync("/api/files/upload", torn);
            Assert.Equal(400, (int)answer.StatusCode);
        }

        (await server.PostAsync("/api/files/upload", client: server.Anonymous)).ExpectError(401, "missing_api_key");
        (await server.GetAsync("/api/files")).ExpectError(400, "missing_field", "projectId");
        (await server.GetAsync("/api/files/download")).ExpectError(400, "missing_field");
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Data, "files")));
        (await UploadAsync(server, "x", new string('x', 100_000), "text/plain", false, ("projectId", workspace))).Expect(200);
    }

    [Theory]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("C:\\Users\\x\\a.txt", "a.txt")]
    [InlineData("..", "file")]
    public async Task A_clients_name_is_made_harmless(string name, string expected)
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();

        var file = (await UploadAsync(server, name, "x", null, true, ("projectId", workspace))).Expect(200).Json.GetProperty("file");

        Assert.Equal(expected, file.GetProperty("filename").GetString());
    }

    [Fact]
    public async Task An_upload_reaches_every_running_computer_and_those_started_later_once()
    {
        await using var server = await RunningServer.StartAsync();
        var (workspace, one) = await ComputerInAsync(server, null, "one");
        var (_, two) = await ComputerInAsync(server, workspace, "two");
        (await server.PostAsync($"/api/computers/{two}/stop")).Expect(200);

        await UploadedAsync(server, workspace, "all.txt", "for all");
        Assert.Equal(["?name=all.txt for all"], Delivered(server, one));

        (await server.PostAsync($"/api/computers/{two}/start")).Expect(200);
        var (_, three) = await ComputerInAsync(server, workspace, "three");
        await UntilAsync(() => Delivered(server, two).Count == 1 && Delivered(server, three).Count == 1);

        (await server.PostAsync($"/api/computers/{two}/restart")).Expect(200);
        await UploadedAsync(server, workspace, "next.txt", "next");
        Assert.Equal(["?name=next.txt next"], Delivered(server, two));
    }

    [Fact]
    public async Task An_upload_for_one_computer_reaches_it_alone_also_when_it_was_stopped()
    {
        await using var server = await RunningServer.StartAsync();
        var (workspace, one) = await ComputerInAsync(server, null, "one");
        var (_, two) = await ComputerInAsync(server, workspace, "two");
        (await server.PostAsync($"/api/computers/{two}/stop")).Expect(200);

        var file = (await UploadAsync(server, "größe.bin", "two", null, false, ("desktopId", "orgo-" + two), ("projectId", workspace))).Expect(200).Json.GetProperty("file");
        Assert.Equal(two, file.GetProperty("desktop_id").GetString());
        (await server.PostAsync($"/api/computers/{two}/start")).Expect(200);

        await UntilAsync(() => Delivered(server, two).Count == 1);
        Assert.Equal(["?name=gr%C3%B6%C3%9Fe.bin two"], Delivered(server, two));
        Assert.Empty(Delivered(server, one));
        Assert.Single((await server.GetAsync($"/api/files?projectId={workspace}&desktopId={two}")).Json.GetProperty("files").EnumerateArray());
        Assert.Empty((await server.GetAsync($"/api/files?projectId={workspace}&desktopId={one}")).Json.GetProperty("files").EnumerateArray());
    }

    [Fact]
    public async Task A_desktop_that_cannot_take_it_gets_it_at_its_next_start()
    {
        await using var server = await RunningServer.StartAsync();
        var (workspace, id) = await ComputerInAsync(server, null, "one");
        MachineOf(server, id).Answer = async (context, seen) =>
        {
            if (seen.Path != DeskdProtocol.DesktopFilePath)
            {
                return false;
            }

            await FakeDeskd.JsonAsync(context, """{"error":"full","code":"disk_full"}""", 507);
            return true;
        };

        await UploadedAsync(server, workspace, "later.txt", "later");
        Assert.Single(Delivered(server, id));
        (await server.PostAsync($"/api/computers/{id}/restart")).Expect(200);
        await UntilAsync(() => Delivered(server, id).Count == 1);
    }

    [Fact]
    public async Task What_was_not_brought_before_a_crash_is_brought_after_it()
    {
        await using var world = new FakeWorld();
        var server = await RunningServer.StartAsync(world);
        var (workspace, id) = await ComputerInAsync(server, null, "one");
        MachineOf(server, id).Answer = (context, seen) =>
        {
            if (seen.Path == DeskdProtocol.DesktopFilePath)
            {
                context.Abort();
            }

            return Task.FromResult(seen.Path == DeskdProtocol.DesktopFilePath);
        };
        await UploadedAsync(server, workspace, "kept.txt", "kept");
        var orphan = Path.Combine(server.Data, "files", Guid.Empty.ToString());
        await File.WriteAllTextAsync(orphan, "half");
        var data = server.Data;
        await server.KillAsync();
        var machine = world.Machines.Values.Single();
        machine.Answer = (_, _) => Task.FromResult(false);
        machine.Requests.Clear();

        await using var next = await RunningServer.StartAsync(world, data);

        await UntilAsync(() => Delivered(next, id).Count == 1);
        Assert.False(File.Exists(orphan));
    }

    [Fact]
    public async Task A_deleted_workspace_takes_its_files_along()
    {
        await using var server = await RunningServer.StartAsync();
        var workspace = await server.WorkspaceAsync();
        var id = await UploadedAsync(server, workspace, "x", "x");

        (await server.DeleteAsync($"/api/workspaces/{workspace}")).Expect(200);

        Assert.Empty(Directory.GetFiles(Path.Combine(server.Data, "files")));
        (await server.GetAsync($"/api/files/download?id={id}")).ExpectError(404, "not_found");
    }

    [Fact]
    public async Task An_export_is_kept_and_opens_by_its_link()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { MaxExportBytes = 50_000 });
        var (workspace, id) = await ComputerInAsync(server, null, "one");
        var size = 10;
        MachineOf(server, id).Answer = async (context, seen) =>
        {
            if (seen.Path == "/files/export")
            {
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync(new string('e', size));
            }

            return seen.Path == "/files/export";
        };

        var answer = (await server.PostAsync("/api/files/export", new { desktopId = id, path = "~/Desktop/Bericht größe.pdf" })).Expect(200);

        Assert.True(answer.Json.GetProperty("success").GetBoolean());
        Assert.Equal("Bericht größe.pdf", answer.Json.GetProperty("file").GetProperty("filename").GetString());
        Assert.Equal("""{"path":"~/Desktop/Bericht gr\u00F6\u00DFe.pdf"}""", MachineOf(server, id).Requests.Last().Body);
        Assert.Equal("eeeeeeeeee", (await server.GetAsync(answer.Text("url"), server.Anonymous)).Expect(200).Body);
        var listed = (await server.GetAsync($"/api/files?projectId={workspace}")).Json.GetProperty("files").EnumerateArray().Single();
        Assert.Equal("export", listed.GetProperty("source").GetString());
        size = 50_001;
        (await server.PostAsync("/api/files/export", new { desktopId = id, path = "x" })).ExpectError(400, "payload_too_large");
        Assert.Single(Directory.GetFiles(Path.Combine(server.Data, "files")));

        using var direct = server.ClientWith((await server.GetAsync($"/api/computers/{id}/vnc-password")).Text("desktop_api_token"));
        size = 3;
        var raw = (await server.PostAsync("/files/export", new { path = "x" }, direct)).Expect(200);
        Assert.Equal(("eee", "application/octet-stream"), (raw.Body, raw.MediaType));
        (await server.PostAsync($"/api/desktops/{id}/proxy/files/export", new { path = "x" }, direct)).Expect(200);
    }

    [Theory]
    [InlineData(403, "access_denied", 403, "access_denied")]
    [InlineData(404, "not_found", 404, "not_found")]
    [InlineData(400, "is_a_directory", 400, "is_a_directory")]
    [InlineData(500, "x", 502, "desktop_failed")]
    public async Task A_refused_export_says_why(int upstream, string upstreamCode, int status, string code)
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, seen) =>
        {
            await FakeDeskd.JsonAsync(context, $$"""{"error":"the reason","code":"{{upstreamCode}}"}""", upstream);
            return true;
        };

        (await server.PostAsync("/api/files/export", new { desktopId = id, path = "/etc/passwd" })).ExpectError(status, code, "the reason");
        (await server.PostAsync("/api/files/export", new { desktopId = id })).ExpectError(400, "missing_field", "path");
        (await server.PostAsync("/api/files/export", new { path = "x" })).ExpectError(400, "missing_field", "desktopId");
        (await server.PostAsync("/api/files/export", new { desktopId = "00000000", path = "x" })).ExpectError(404, "not_found");
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        (await server.PostAsync("/api/files/export", new { desktopId = id, path = "x" })).ExpectError(409, "not_running");
    }

    private static async Task<Answer> UploadAsync(
        RunningServer server, string? name, string? text, string? type, bool fieldsFirst, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        if (!fieldsFirst)
        {
            AddFile();
        }

        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }

        if (fieldsFirst)
        {
            AddFile();
        }

        using var answer = await server.Client.PostAsync("/api/files/upload", form);
        return await Answer.ReadAsync(answer);

        void AddFile()
        {
            if (name is not null)
            {
                var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text!));
                content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
                // As browsers and curl send it: the name itself, in UTF-8.
                content.Headers.TryAddWithoutValidation("Content-Disposition", $"form-data; name=\"file\"; filename=\"{name.Replace("\\", "\\\\", StringComparison.Ordinal)}\"; filename*=utf-8''{Uri.EscapeDataString(name)}");
                form.Add(content);
            }
        }
    }

    private static async Task<string> UploadedAsync(RunningServer server, string workspace, string name, string text) =>
        (await UploadAsync(server, name, text, null, true, ("projectId", workspace))).Expect(200).Json.GetProperty("file").GetProperty("id").GetString()!;

    private static async Task<(string Workspace, string Id)> ComputerInAsync(RunningServer server, string? workspace, string name)
    {
        workspace ??= await server.WorkspaceAsync();
        return (workspace, (await server.PostAsync("/api/computers", new { workspace_id = workspace, name })).Expect(201).Text("id"));
    }

    private static FakeMachine MachineOf(RunningServer server, string id) => server.World.Machines[server.Get<Computers.ComputerRegistry>().Find(id)!.State.Record.InstanceId];

    private static List<string> Delivered(RunningServer server, string id) =>
        [.. MachineOf(server, id).Requests.Where(seen => seen.Path == DeskdProtocol.DesktopFilePath).Select(seen => $"{seen.Query} {seen.Body}")];

    private static async Task UntilAsync(Func<bool> seen)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!seen())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }
    }
}
