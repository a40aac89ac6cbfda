using System.Text.Json;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Events;

public sealed class FileEventTests(Desk desk) : IClassFixture<Desk>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("carrel-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_file_is_created_modified_and_deleted()
    {
        using var client = await WatchingAsync(_folder);
        var file = Path.Combine(_folder, "файл 世界.txt");
        await desk.Shell($"touch '{file}'; rm '{file}'; echo hi > '{file}'; echo more >> '{file}'; mv '{file}' '{file}.old'; rm '{file}.old'");
        await DeletedAsync(client, file + ".old");

        Assert.Equal(
            [
                $"created {file}", $"deleted {file}", $"created {file}", $"modified {file}", $"modified {file}", $"deleted {file}",
                $"created {file}.old", $"deleted {file}.old",
            ],
            Told(client));
    }

    [Fact]
    public async Task Touching_an_old_file_is_a_modification()
    {
        var file = Path.Combine(_folder, "old");
        await File.WriteAllTextAsync(file, "");
        using var client = await WatchingAsync(_folder);
        await desk.Shell($"touch {file}; rm {file}");
        await DeletedAsync(client, file);

        Assert.Equal([$"modified {file}", $"deleted {file}"], Told(client));
    }

    [Fact]
    public async Task A_folder_is_watched_with_its_entries_alone_unless_more_is_asked_for()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "below"));
        using var client = await WatchingAsync(_folder);
        await desk.Shell($"cd {_folder}; touch below/unseen seen");
        await DeletedAsync(client, await EndAsync());

        Assert.Equal([$"created {_folder}/seen"], Told(client)[..^2]);
    }

    [Fact]
    public async Task Folders_that_appear_are_watched_with_what_is_in_them_by_then()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "old"));
        using var client = await WatchingAsync(_folder, recursive: true);
        await desk.Shell($"cd {_folder}; touch old/file; mkdir -p a/b/c; echo x > a/b/c/deep; rm -r a/b");
        await DeletedAsync(client, await EndAsync());
        var told = Told(client);

        Assert.Contains($"created {_folder}/old/file", told);
        foreach (var path in (string[])["a", "a/b", "a/b/c", "a/b/c/deep"])
        {
            Assert.Single(told, $"created {_folder}/{path}");
        }

        Assert.Contains($"deleted {_folder}/a/b/c/deep", told);
        Assert.Contains($"deleted {_folder}/a/b", told);
    }

    [Fact]
    public async Task A_tree_that_is_moved_is_known_by_its_new_name()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "one/sub"));
        using var client = await WatchingAsync(_folder, recursive: true);
        await desk.Shell($"cd {_folder}; mv one two; touch two/sub/file");
        await DeletedAsync(client, await EndAsync());
        var told = Told(client);

        Assert.Contains($"deleted {_folder}/one", told);
        Assert.Contains($"created {_folder}/two", told);
        Assert.Single(told, $"created {_folder}/two/sub/file");
        Assert.DoesNotContain($"created {_folder}/one/sub/file", told);
    }

    [Fact]
    public async Task A_path_that_is_not_there_is_waited_for()
    {
        using var client = await WatchingAsync(Path.Combine(_folder, "not/yet/there"));
        await desk.Shell($"cd {_folder}; touch beside; mkdir -p not/yet; touch not/yet/beside; mkdir not/yet/there; touch not/yet/there/file");
        await client.EventAsync("file_change", data => data.GetProperty("path").GetString() == $"{_folder}/not/yet/there/file");
        await desk.Shell($"cd {_folder}; rm -r not");
        await DeletedAsync(client, $"{_folder}/not/yet/there");
        await desk.Shell($"cd {_folder}; mkdir -p not/yet/there; touch not/yet/there/again");
        await client.EventAsync("file_change", data => data.GetProperty("path").GetString() == $"{_folder}/not/yet/there/again");
        var told = Told(client);

        Assert.All(told, words => Assert.Contains("/not/yet/there", words, StringComparison.Ordinal));
        Assert.Equal(2, told.Count(words => words == $"created {_folder}/not/yet/there"));
        Assert.Single(told, $"created {_folder}/not/yet/there/file");
        Assert.Single(told, $"deleted {_folder}/not/yet/there/file");
        Assert.Single(told, $"created {_folder}/not/yet/there/again");
    }

    [Fact]
    public async Task A_single_file_can_be_watched()
    {
        var file = Path.Combine(_folder, "one");
        await File.WriteAllTextAsync(file, "");
        using var client = await WatchingAsync(file);
        await desk.Shell($"cd {_folder}; touch other; echo new > new; mv new one; rm one");
        await DeletedAsync(client, file);

        Assert.Equal([$"created {file}", $"deleted {file}"], Told(client));
    }

    [Fact]
    public async Task A_file_that_grows_is_told_again_and_again_but_not_for_every_write()
    {
        using var client = await WatchingAsync(_folder);
        await desk.Shell($"exec 3>{_folder}/log; for i in $(seq 2000); do echo $i >&3; done; sleep 1.5; for i in $(seq 2000); do echo $i >&3; done; exec 3>&-; rm {_folder}/log");
        await DeletedAsync(client, $"{_folder}/log");

        Assert.InRange(Told(client).Count(words => words.StartsWith("modified", StringComparison.Ordinal)), 2, 10);
    }

    [Fact]
    public async Task Connections_see_only_the_paths_they_asked_for()
    {
        var (mine, yours) = (Directory.CreateDirectory(Path.Combine(_folder, "mine")).FullName, Directory.CreateDirectory(Path.Combine(_folder, "yours")).FullName);
        using var one = await WatchingAsync(mine);
        using var two = await WatchingAsync(yours);
        await desk.Shell($"touch {mine}/a {yours}/b; rm {mine}/a {yours}/b");
        await DeletedAsync(one, mine + "/a");
        await DeletedAsync(two, yours + "/b");

        Assert.Equal([$"created {mine}/a", $"deleted {mine}/a"], Told(one));
        Assert.Equal([$"created {yours}/b", $"deleted {yours}/b"], Told(two));
    }

    [Fact]
    public async Task Paths_are_taken_back_one_by_one()
    {
        var (kept, left) = (Directory.CreateDirectory(Path.Combine(_folder, "kept")).FullName, Directory.CreateDirectory(Path.Combine(_folder, "left")).FullName);
        using var client = await WatchingAsync(kept);
        await client.WatchAsync(left);
        await client.WatchAsync(left, type: "unsubscribe");
        await desk.Shell($"touch {left}/a {kept}/b; rm {kept}/b");
        await DeletedAsync(client, kept + "/b");

        Assert.Equal([$"created {kept}/b", $"deleted {kept}/b"], Told(client));
    }

    [Fact]
    public async Task There_is_a_limit_to_paths()
    {
        using var client = await EventsClient.ConnectAsync(desk);
        for (var i = 0; i < 32; i++)
        {
            await client.WatchAsync($"{_folder}/{i}");
        }

        await client.WatchAsync($"{_folder}/one-more");
        var answer = client.Seen.Single(seen => seen.GetProperty("type").GetString() == "error");

        Assert.Contains("at most 32 paths", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_too_slow_is_told_how_many_it_missed()
    {
        const int Files = 20_000;
        using var client = await WatchingAsync(_folder);
        for (var i = 0; i < Files; i++)
        {
            File.CreateSymbolicLink(Path.Combine(_folder, $"{i:d6}{new string('x', 150)}"), "/nowhere");
        }

        await client.MessageAsync(seen => seen.GetProperty("type").GetString() == "dropped");
        var before = Told(client);
        Assert.InRange(before.Count, 256, Files - 1);
        Assert.True(before.Index().All(told => told.Item.Contains($"/{told.Index:d6}x", StringComparison.Ordinal)), "they come in order, without a gap");

        // Every event is either told or counted.
        while (Told(client).Count + Dropped(client) < Files)
        {
            await client.MessageAsync(_ => true);
        }

        Assert.Equal(Files, Told(client).Count + Dropped(client));
    }

    private async Task<EventsClient> WatchingAsync(string path, bool recursive = false)
    {
        var client = await EventsClient.ConnectAsync(desk);
        await client.WatchAsync(path, recursive);
        return client;
    }

    /// <summary>Makes and deletes a last file; returns its path.</summary>
    private async Task<string> EndAsync()
    {
        var end = Path.Combine(_folder, "end");
        await desk.Shell($"touch {end}; rm {end}");
        return end;
    }

    private static Task<JsonElement> DeletedAsync(EventsClient client, string path) =>
        client.EventAsync("file_change", data => data.GetProperty("path").GetString() == path && data.GetProperty("action").GetString() == "deleted");

    private static List<string> Told(EventsClient client) =>
        [.. client.Events(data => $"{data.GetProperty("action").GetString()} {data.GetProperty("path").GetString()}").Select(words => words["file_change ".Length..])];

    private static int Dropped(EventsClient client) =>
        client.Seen.Where(seen => seen.GetProperty("type").GetString() == "dropped").Sum(seen => seen.GetProperty("count").GetInt32());
}
