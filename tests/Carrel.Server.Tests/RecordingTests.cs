using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class RecordingTests
{
    [Fact]
    public async Task Actions_become_lines_of_the_film_and_the_film_is_kept_on_the_host()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var desk = new RecordedDesk(machine);

        var begun = (await server.PostAsync($"/api/computers/{id}/recordings", new { name = "run one", fps = 10 })).Expect(201);
        Assert.Equal(("recording", 10), (begun.Text("status"), begun.Int("fps")));
        await server.PostAsync($"/api/computers/{id}/click", new { x = 100, y = 200 });
        await server.PostAsync($"/api/computers/{id}/type", new { text = "Hello\nthere, " + new string('w', 100) });
        await server.PostAsync($"/api/computers/{id}/cursor-position");
        await server.PostAsync($"/api/computers/{id}/bash?screenshot=after", new { command = "ls" });
        var path = $"/api/computers/{id}/recordings/{begun.Text("id")}";
        (await server.GetAsync($"{path}/download")).ExpectError(409, "recording_unfinished");
        var stopped = (await server.PostAsync($"{path}/stop")).Expect(200);

        Assert.Equal(("finished", 3, 5), (stopped.Text("status"), stopped.Int("action_count"), stopped.Int("size")));
        Assert.Equal(
            ["click 100,200 left", "type Hello there, " + new string('w', 80 - "Hello there, ".Length) + "…", "bash ls"],
            desk.Actions.TrimEnd('\n').Split('\n').Select(line => line.Split('\t')[1]));
        // A second old when it was told to have begun.
        Assert.InRange(long.Parse(desk.Actions.Split('\t')[0], null), 1000, 60_000);
        Assert.Equal("run one", desk.Title);
        Assert.True(desk.Discarded);
        var film = (await server.GetAsync($"{path}/download")).Expect(200);
        Assert.Equal(("video/mp4", "FILM!"), (film.MediaType, film.Body));
        Assert.Equal("FILM!", (await server.GetAsync(stopped.Text("download_url"), server.Anonymous)).Expect(200).Body);
        (await server.GetAsync(stopped.Text("download_url").Split('?')[0], server.Anonymous)).ExpectError(403, "access_denied");
        using var part = new HttpRequestMessage(HttpMethod.Get, $"{path}/download") { Headers = { Range = new RangeHeaderValue(1, 2) } };
        using var ranged = await server.Client.SendAsync(part, TestContext.Current.CancellationToken);
        Assert.Equal((206, "IL"), ((int)ranged.StatusCode, await ranged.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        // A second stop changes nothing; a stopped computer still has its recordings.
        Assert.Equal("finished", (await server.PostAsync($"{path}/stop")).Expect(200).Text("status"));
        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        Assert.Equal("FILM!", (await server.GetAsync($"{path}/download")).Expect(200).Body);
        (await server.DeleteAsync(path)).Expect(200);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(server.Data, "recordings", machine.Id)));
        Assert.Equal(0, (await server.GetAsync($"/api/computers/{id}/recordings")).Json.GetProperty("recordings").GetArrayLength());
    }

    [Fact]
    public async Task Texts_and_commands_are_left_out_on_request_and_refused_actions_always()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var desk = new RecordedDesk(machine);
        var recording = (await server.PostAsync($"/api/computers/{id}/recordings", new { redact = true })).Expect(201).Text("id");

        foreach (var (action, body) in new (string, object)[] { ("type", new { text = "Sesame" }), ("bash", new { command = "Sesame" }), ("exec", new { code = "Sesame" }), ("key", new { key = "Sesame" }) })
        {
            (await server.PostAsync($"/api/computers/{id}/{action}", body)).Expect(200);
        }

        desk.Refuses = true;
        (await server.PostAsync($"/api/computers/{id}/click", new { x = -1 })).Expect(400);
        await server.PostAsync($"/api/computers/{id}/recordings/{recording}/stop");

        Assert.Equal(
            ["type (6 characters)", "bash (6 characters)", "exec (6 characters)", "key"],
            desk.Actions.TrimEnd('\n').Split('\n').Select(line => line.Split('\t')[1]));
    }

    [Fact]
    public async Task One_that_ends_by_itself_is_finished_and_says_why()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        var desk = new RecordedDesk(machine);
        var path = $"/api/computers/{id}/recordings/{(await server.PostAsync($"/api/computers/{id}/recordings")).Expect(201).Text("id")}";

        desk.End("ffmpeg was killed (signal 9)");
        var finished = (await server.PostAsync($"{path}/stop")).Expect(200); // Waits for what is under way.

        Assert.Equal("finished", finished.Text("status"));
        Assert.Contains("killed", finished.Text("reason"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_of_the_computer_finishes_it_first_and_a_delete_takes_all()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        _ = new RecordedDesk(machine);
        var recording = (await server.PostAsync($"/api/computers/{id}/recordings")).Expect(201).Text("id");

        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);

        Assert.Equal("finished", (await server.GetAsync($"/api/computers/{id}/recordings/{recording}")).Expect(200).Text("status"));
        (await server.DeleteAsync($"/api/computers/{id}")).Expect(200);
        Assert.False(Directory.Exists(Path.Combine(server.Data, "recordings", machine.Id)));
    }

    [Fact]
    public async Task What_a_dead_machine_broke_off_is_finished_at_the_next_start()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        _ = new RecordedDesk(machine);
        var path = $"/api/computers/{id}/recordings/{(await server.PostAsync($"/api/computers/{id}/recordings")).Expect(201).Text("id")}";
        await server.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 2 });
        machine.End(new Machines.MachineExit(137, false));
        await UntilAsync(async () => await server.StatusAsync(id) == "stopped");
        await UntilAsync(async () => (await server.GetAsync(path)).Text("status") == "interrupted");

        RecordedDesk? again = null;
        server.World.Made = next => again = new RecordedDesk(next, left: true);
        (await server.PostAsync($"/api/computers/{id}/start")).Expect(200);

        await UntilAsync(async () => (await server.GetAsync(path)).Text("status") == "finished");
        Assert.EndsWith("\tclick 1,2 left\n", again!.Actions, StringComparison.Ordinal);
        Assert.True(again.Discarded);
    }

    [Fact]
    public async Task A_server_that_comes_back_goes_on_with_it()
    {
        await using var world = new FakeWorld();
        var before = await RunningServer.StartAsync(world);
        var (id, machine) = await before.ComputerAsync();
        var desk = new RecordedDesk(machine);
        var path = $"/api/computers/{id}/recordings/{(await before.PostAsync($"/api/computers/{id}/recordings")).Expect(201).Text("id")}";
        await before.PostAsync($"/api/computers/{id}/click", new { x = 1, y = 2 });
        await before.StopAsync();

        await using var after = await RunningServer.StartAsync(world, before.Data);
        await UntilAsync(async () => (await after.GetAsync(path)).Text("status") == "recording");
        await after.PostAsync($"/api/computers/{id}/key", new { key = "Return" });

        Assert.Equal("finished", (await after.PostAsync($"{path}/stop")).Expect(200).Text("status"));
        Assert.Equal(["click 1,2 left", "key Return"], desk.Actions.TrimEnd('\n').Split('\n').Select(line => line.Split('\t')[1]));
    }

    [Fact]
    public async Task Only_so_many_are_kept_and_one_is_made_at_a_time()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { RecordingsKept = 2 });
        var (id, machine) = await server.ComputerAsync();
        _ = new RecordedDesk(machine);
        var all = new List<string>();
        for (var index = 0; index < 3; index++)
        {
            server.Clock.Ahead = TimeSpan.FromMinutes(index);
            all.Add((await server.PostAsync($"/api/computers/{id}/recordings")).Expect(201).Text("id"));
            (await server.PostAsync($"/api/computers/{id}/recordings")).ExpectError(409, "already_recording");
            (await server.PostAsync($"/api/computers/{id}/recordings/{all[^1]}/stop")).Expect(200);
        }

        var listed = (await server.GetAsync($"/api/computers/{id}/recordings")).Expect(200).Json.GetProperty("recordings").EnumerateArray();
        Assert.Equal([all[2], all[1]], listed.Select(recording => recording.GetProperty("id").GetString()!));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(server.Data, "recordings", machine.Id)).Length);
    }

    [Fact]
    public async Task A_film_that_is_larger_than_allowed_or_cut_off_is_not_kept()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { RecordingMaxBytes = 1 << 20 });
        var (id, machine) = await server.ComputerAsync();
        var desk = new RecordedDesk(machine) { Film = new byte[20 << 20] };
        var path = $"/api/computers/{id}/recordings/{(await server.PostAsync($"/api/computers/{id}/recordings")).Expect(201).Text("id")}";

        (await server.PostAsync($"{path}/stop")).ExpectError(422, "recording_failed", "larger");

        Assert.Equal("failed", (await server.GetAsync(path)).Text("status"));
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Data, "recordings", machine.Id)));
        Assert.True(desk.Discarded);
    }

    [Fact]
    public async Task What_does_not_begin_leaves_no_recording()
    {
        await using var server = await RunningServer.StartAsync();
        var (id, machine) = await server.ComputerAsync();
        machine.Answer = async (context, _) =>
        {
            await FakeDeskd.JsonAsync(context, """{"error":"no screen","code":"recording_failed"}""", 422);
            return true;
        };

        (await server.PostAsync($"/api/computers/{id}/recordings")).ExpectError(422, "recording_failed", "no screen");
        (await server.PostAsync($"/api/computers/{id}/recordings", new { fps = 0 })).ExpectError(400, "invalid_field", "fps");

        Assert.Equal(0, (await server.GetAsync($"/api/computers/{id}/recordings")).Json.GetProperty("recordings").GetArrayLength());
        (await server.GetAsync($"/api/computers/{id}/recordings/x")).ExpectError(404, "not_found");
    }

    private static async Task UntilAsync(Func<Task<bool>> seen)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await seen())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>The recording side of a machine's deskd.</summary>
    private sealed class RecordedDesk
    {
        private readonly TaskCompletionSource<string?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <param name="left">It has one on its disk that an earlier deskd left.</param>
        public RecordedDesk(FakeMachine machine, bool left = false)
        {
            machine.Answer = AnswerAsync;
            if (left)
            {
                _ended.SetResult("the computer ended while it was being recorded");
            }
        }

        public byte[] Film { get; init; } = "FILM!"u8.ToArray();

        public string Actions { get; private set; } = "";

        public string Title { get; private set; } = "";

        public bool Discarded { get; private set; }

        public bool Refuses { get; set; }

        private ConcurrentQueue<TaskCompletionSource<string?>> Rounds { get; } = new();

        private TaskCompletionSource<string?> Ended => Rounds.LastOrDefault() ?? _ended;

        public void End(string? why) => Ended.TrySetResult(why);

        private async Task<bool> AnswerAsync(HttpContext context, Seen seen)
        {
            if (!seen.Path.StartsWith("/recordings", StringComparison.Ordinal))
            {
                if (Refuses)
                {
                    await FakeDeskd.JsonAsync(context, """{"error":"no","code":"invalid_field"}""", 400);
                }

                return Refuses;
            }

            switch ((seen.Method, seen.Path.Split('/').Last()))
            {
                case ("POST", "recordings"):
                    Rounds.Enqueue(new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously));
                    Discarded = false;
                    await FakeDeskd.JsonAsync(context, """{"status":"recording","elapsed_ms":1000}""");
                    break;
                case ("POST", "stop"):
                    Ended.TrySetResult(null);
                    await StateAsync(context);
                    break;
                case ("GET", "ended"):
                    await Ended.Task.WaitAsync(context.RequestAborted);
                    await StateAsync(context);
                    break;
                case ("POST", "finish"):
                    var body = JsonDocument.Parse(seen.Body).RootElement;
                    (Title, Actions) = (body.GetProperty("title").GetString()!, body.GetProperty("actions").GetString()!);
                    await FakeDeskd.JsonAsync(context, $$"""{"size":{{Film.Length}},"duration_ms":1500,"actions":{{Actions.Count(c => c == '\n')}}}""");
                    break;
                case ("GET", "file"):
                    await context.Response.Body.WriteAsync(Film);
                    break;
                case ("DELETE", _):
                    Discarded = true;
                    await FakeDeskd.JsonAsync(context, """{"success":true}""");
                    break;
                default:
                    await StateAsync(context);
                    break;
            }

            return true;
        }

        private Task StateAsync(HttpContext context) => FakeDeskd.JsonAsync(
            context,
            !Ended.Task.IsCompleted ? """{"status":"recording","elapsed_ms":5000}"""
            : Ended.Task.Result is { } why ? $$"""{"status":"ended","reason":"{{why}}"}""" : """{"status":"ended"}""");
    }
}
