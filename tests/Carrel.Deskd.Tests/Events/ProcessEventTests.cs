using System.Text.Json;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Events;

public sealed class ProcessEventTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task A_process_is_told_as_it_starts_and_as_it_ends()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "process_start", "process_stop");
        var pid = await StartAsync("sleep 3");

        Assert.Equal("sleep", (await client.EventAsync("process_start", Is(pid))).GetProperty("name").GetString());
        Assert.Equal("sleep", (await client.EventAsync("process_stop", Is(pid))).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Processes_of_a_millisecond_are_told_with_their_names_when_they_are_caught()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "process_start", "process_stop");
        await desk.Shell("for i in $(seq 50); do /bin/true; done");
        await client.EventAsync("process_start", data => data.GetProperty("name").GetString() == "true");
        await desk.Shell("sleep 0.1");
        var end = await StartAsync("sleep 0.1");
        await client.EventAsync("process_stop", Is(end));

        // What is caught at all has a beginning and an end. Others use this machine, too.
        var caught = client.Events(data => $"{data.GetProperty("pid")} {data.GetProperty("name").GetString()}")
            .Where(words => words.StartsWith("process_start", StringComparison.Ordinal) && words.EndsWith(" true", StringComparison.Ordinal))
            .Select(words => words.Split(' ')[1]);
        Assert.Empty(caught.Except(Pids(client, "process_stop")));
    }

    [Fact]
    public async Task A_name_longer_than_the_kernel_keeps_is_whole()
    {
        var name = "a-program-with-a-long-name";
        await desk.Shell($"cp /bin/sleep {desk.Folder}/{name}");
        using var client = await EventsClient.SubscribedAsync(desk, "process_start");
        var pid = await StartAsync($"{desk.Folder}/{name} 0.2");

        Assert.Equal(name, (await client.EventAsync("process_start", Is(pid))).GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_fork_without_a_program_of_its_own_is_found_too()
    {
        using var client = await EventsClient.SubscribedAsync(desk, "process_start", "process_stop");
        await desk.Shell($"mkfifo {desk.Folder}/hold; (read x < {desk.Folder}/hold) >/dev/null 2>&1 & echo $! > {desk.Folder}/forked");
        var pid = int.Parse(await File.ReadAllTextAsync($"{desk.Folder}/forked"), null);

        await client.EventAsync("process_start", Is(pid));
        await desk.Shell($"echo > {desk.Folder}/hold");
        await client.EventAsync("process_stop", Is(pid));
    }

    [Fact]
    public async Task What_ran_before_is_not_told_to_have_started_but_to_have_ended()
    {
        var pid = await StartAsync("sleep 1000");
        using var client = await EventsClient.SubscribedAsync(desk, "process_start", "process_stop");
        await desk.Shell($"kill {pid}");

        Assert.Equal("sleep", (await client.EventAsync("process_stop", Is(pid))).GetProperty("name").GetString());
        Assert.DoesNotContain($"process_start {pid}", client.Events(data => $"{data.GetProperty("pid")}"));
    }

    [Fact]
    public async Task Of_many_at_once_none_is_missing()
    {
        // All that runs on this machine is told of; where so much does that some is dropped, and told to be, it says nothing of ours.
        for (var attempts = 10; !await AreAllToldAsync(100) && attempts > 0; attempts--)
        {
            Assert.NotEqual(1, attempts);
        }
    }

    /// <returns>False where the socket said that it dropped some.</returns>
    private async Task<bool> AreAllToldAsync(int count)
    {
        using var client = await EventsClient.SubscribedAsync(desk, "process_start", "process_stop");
        await desk.Shell($"for i in $(seq {count}); do sleep 3 & echo $!; done > {desk.Folder}/many; wait");
        var awaited = (await File.ReadAllLinesAsync($"{desk.Folder}/many")).SelectMany(pid => new[] { $"process_start {pid}", $"process_stop {pid}" }).ToHashSet();
        var isWhole = true;
        foreach (var told in client.Events(data => $"{data.GetProperty("pid")}"))
        {
            awaited.Remove(told);
        }

        while (awaited.Count > 0 && isWhole)
        {
            await client.MessageAsync(message =>
            {
                isWhole = message.GetProperty("type").GetString() != "dropped";
                if (isWhole)
                {
                    awaited.Remove($"{message.GetProperty("event").GetProperty("type")} {message.GetProperty("event").GetProperty("data").GetProperty("pid")}");
                }

                return !isWhole || awaited.Count == 0;
            });
        }

        return isWhole;
    }

    private static HashSet<string> Pids(EventsClient client, string type) =>
        [.. client.Events(data => $"{data.GetProperty("pid")}").Where(words => words.StartsWith(type, StringComparison.Ordinal)).Select(words => words.Split(' ')[1])];

    private static Func<JsonElement, bool> Is(int pid) => data => data.GetProperty("pid").GetInt32() == pid;

    private async Task<int> StartAsync(string command)
    {
        // The shell ends at once; whoever reaps orphans here reaps it.
        var (_, answer) = await desk.Post("/bash", ("command", $"{command} >/dev/null 2>&1 & echo $!"));
        return int.Parse(answer.GetProperty("output").GetString()!, null);
    }
}
