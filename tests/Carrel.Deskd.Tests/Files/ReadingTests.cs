using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Files;

public sealed class ReadingTests(Desk desk) : IClassFixture<Desk>, IAsyncDisposable
{
    private readonly FileSystem _fs = new(desk);

    public ValueTask DisposeAsync() => _fs.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(3_000_000)]
    public async Task A_file_comes_as_it_is(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        await File.WriteAllBytesAsync(_fs.At("file"), bytes, TestContext.Current.CancellationToken);

        using var answer = await _fs.GetAsync(_fs.At("file"));

        Assert.Equal(size, answer.Content.Headers.ContentLength);
        Assert.Equal(bytes, await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Theory]
    [InlineData("bytes=0-3", 206, "0123", "bytes 0-3/10")]
    [InlineData("bytes=4-", 206, "456789", "bytes 4-9/10")]
    [InlineData("bytes=-2", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=-20", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=8-99", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    [InlineData("bytes=-0", 416, null, "bytes */10")]
    [InlineData("bytes=3-1", 200, "0123456789", null)]
    [InlineData("bytes=0-1,4-5", 200, "0123456789", null)]
    [InlineData("lines=0-1", 200, "0123456789", null)]
    [InlineData("bytes=-", 200, "0123456789", null)]
    public async Task A_part_can_be_asked_for(string range, int status, string? text, string? contentRange)
    {
        using var answer = await _fs.GetAsync(_fs.Write("ten", "0123456789"), "", ("Range", range));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(contentRange, answer.Content.Headers.ContentRange?.ToString());
        if (text is not null)
        {
            Assert.Equal(text, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_part_of_a_huge_file_comes_without_the_rest()
    {
        using (var sparse = File.Create(_fs.At("huge")))
        {
            sparse.SetLength(5L << 30);
            sparse.Position = 4_999_999_999;
            sparse.Write("here"u8);
        }

        using var answer = await _fs.GetAsync(_fs.At("huge"), "", ("Range", "bytes=4999999999-5000000002"));

        Assert.Equal("here", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(5L << 30, answer.Content.Headers.ContentRange!.Length);
    }

    [Fact]
    public async Task A_tag_saves_what_is_known_and_a_part_of_what_has_changed_is_the_whole()
    {
        var path = _fs.Write("file", "before");
        string tag;
        using (var first = await _fs.GetAsync(path))
        {
            tag = first.Headers.ETag!.Tag;
        }

        using (var same = await _fs.GetAsync(path, "", ("If-None-Match", tag)))
        {
            Assert.Equal(304, (int)same.StatusCode);
        }

        _fs.Write("file", "after!");
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        using var changed = await _fs.GetAsync(path, "", ("If-Range", tag), ("Range", "bytes=0-1"));
        Assert.Equal((200, "after!"), ((int)changed.StatusCode, await changed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        Assert.Equal(2001, changed.Content.Headers.LastModified!.Value.Year);
    }

    [Fact]
    public async Task A_head_tells_what_a_get_would_bring()
    {
        using var answer = await _fs.SendAsync(HttpMethod.Head, FileSystem.Url(_fs.Write("file", "12345")));

        Assert.Equal((200, 5), ((int)answer.StatusCode, answer.Content.Headers.ContentLength));
        Assert.Equal("file", answer.Headers.GetValues("X-Carrel-Type").Single());
        using var none = await _fs.SendAsync(HttpMethod.Head, FileSystem.Url(_fs.At("none")));
        Assert.Equal(404, (int)none.StatusCode);
    }

    [Theory]
    [InlineData("/proc/self/status", "Name:")]
    [InlineData("/proc/cpuinfo", "processor")]
    [InlineData("/sys/kernel/mm/transparent_hugepage/enabled", "[")]
    public async Task Files_that_do_not_know_their_size_are_read_to_their_end(string path, string text) =>
        Assert.Contains(text, await _fs.TextAsync(path), StringComparison.Ordinal);

    [Fact]
    public async Task A_long_file_that_tells_no_size_comes_whole()
    {
        var expected = await File.ReadAllTextAsync("/proc/kallsyms", TestContext.Current.CancellationToken);
        Assert.True(expected.Length > 100_000, "the kernel's symbols are long");

        Assert.Equal(expected.Length, (await _fs.TextAsync("/proc/kallsyms")).Length);
    }

    [Theory]
    [InlineData("/none", 404, "not_found")]
    [InlineData("/file/below", 409, "not_a_directory")]
    [InlineData("/loop", 409, "link_loop")]
    [InlineData("/dangling", 404, "not_found")]
    [InlineData("/pipe", 409, "not_a_file")]
    [InlineData("/socket", 409, "not_a_file")]
    [InlineData("/null", 409, "not_a_file")]
    [InlineData("/file?list", 409, "not_a_directory")]
    [InlineData("/file?archive=tar", 409, "not_a_directory")]
    [InlineData("/file?archive=zip", 400, "invalid_field")]
    public async Task What_cannot_be_read_is_refused_at_once(string name, int status, string code)
    {
        _fs.Write("file", "x");
        File.CreateSymbolicLink(_fs.At("loop"), _fs.At("loop"));
        File.CreateSymbolicLink(_fs.At("dangling"), _fs.At("nowhere"));
        File.CreateSymbolicLink(_fs.At("null"), "/dev/null");
        await desk.Shell($"mkfifo {_fs.At("pipe")}; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"{_fs.At("socket")}\")'");

        var (got, answer) = await _fs.JsonAsync(HttpMethod.Get, FileSystem.Url(_fs.Folder) + name);

        Assert.Equal((status, code), (got, answer.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_link_is_followed_and_can_be_looked_at_itself()
    {
        File.CreateSymbolicLink(_fs.At("link"), _fs.Write("target", "behind"));

        Assert.Equal("behind", await _fs.TextAsync(_fs.At("link")));
        var (_, stat) = await _fs.JsonAsync(HttpMethod.Get, FileSystem.Url(_fs.At("link")) + "?stat");
        Assert.Equal(("symlink", _fs.At("target")), (stat.GetProperty("type").GetString(), stat.GetProperty("target").GetString()));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("with space & 100% #?;=+")]
    [InlineData("größer 世界 🎉")]
    [InlineData("a\\b\"c'd\n\t\u0001")]
    [InlineData("%2F")]
    [InlineData("...")]
    [InlineData("~")]
    public async Task Any_name_works(string name)
    {
        _fs.Write(name, "found");

        Assert.Equal("found", await _fs.TextAsync(_fs.At(name)));
        Assert.Equal("found", await _fs.TextAsync(_fs.At("x/../" + name)));
        using var folder = await _fs.GetAsync(_fs.Folder);
        var listing = await folder.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(name, listing.GetProperty("entries").EnumerateArray().Single().GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_name_that_is_no_text_works_too()
    {
        await desk.Shell($"printf odd > {_fs.Folder}/$'\\xff\\xfe'");

        using var folder = await _fs.GetAsync(_fs.Folder);
        var entry = (await folder.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("entries").EnumerateArray().Single();
        Assert.Equal("%FF%FE", entry.GetProperty("name_encoded").GetString());
        using var answer = await _fs.SendAsync(HttpMethod.Get, FileSystem.Url(_fs.Folder) + "/%FF%FE");
        Assert.Equal("odd", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/fs/..%2f..%2fidentity", 404)]
    [InlineData("/fs/%2e%2e%2fidentity", 404)]
    [InlineData("/fs/x%00y", 400)]
    public async Task Dots_lead_nowhere_but_up_the_tree(string target, int status)
    {
        using var answer = await _fs.SendAsync(HttpMethod.Get, target);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_name_too_long_is_told()
    {
        Assert.Equal(400, (await _fs.JsonAsync(HttpMethod.Get, "/fs/" + new string('n', 256))).Status);
        Assert.Equal(400, (await _fs.JsonAsync(HttpMethod.Get, "/fs" + string.Concat(Enumerable.Repeat("/abcdefgh", 500)))).Status);
    }

    [Fact]
    public async Task A_folder_is_listed_with_what_its_entries_are()
    {
        var file = _fs.Write("file", "12345");
        File.SetUnixFileMode(file, (UnixFileMode)0x1e8);
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc));
        Directory.CreateDirectory(_fs.At("folder"));
        File.CreateSymbolicLink(_fs.At("link"), "file");

        var (_, listing) = await _fs.JsonAsync(HttpMethod.Get, FileSystem.Url(_fs.Folder));

        Assert.Equal(_fs.Folder, listing.GetProperty("path").GetString());
        var entries = listing.GetProperty("entries").EnumerateArray().OrderBy(entry => entry.GetProperty("name").GetString(), StringComparer.Ordinal).Select(entry => entry.ToString()).ToList();
        Assert.Equal("""{"name":"file","type":"file","size":5,"mtime":"2020-01-02T03:04:05.678Z","mode":"0750","owner":"root","group":"root","uid":0,"gid":0}""", entries[0]);
        Assert.Contains("\"type\":\"directory\"", entries[1], StringComparison.Ordinal);
        Assert.Contains("\"target\":\"file\"", entries[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_a_hundred_thousand_is_listed_whole()
    {
        await desk.Shell($"cd {_fs.Folder} && seq -f 'a-file-with-a-name-of-some-length-%g' 100000 | xargs touch");

        var (_, listing) = await _fs.JsonAsync(HttpMethod.Get, FileSystem.Url(_fs.Folder));

        Assert.Equal(100_000, listing.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("name").GetString()).Distinct().Count());
        Assert.Equal(200, (await _fs.JsonAsync(HttpMethod.Delete, FileSystem.Url(_fs.Folder) + "?recursive")).Status);
        Assert.False(Directory.Exists(_fs.Folder));
        Directory.CreateDirectory(_fs.Folder);
    }

    [Fact]
    public async Task A_folder_comes_as_an_archive_that_tar_understands()
    {
        Directory.CreateDirectory(_fs.At("tree/größe/deep"));
        _fs.Write("tree/größe/deep/file", new string('x', 300_000));
        _fs.Write("tree/empty", "");
        File.SetUnixFileMode(_fs.At("tree/empty"), UnixFileMode.UserRead);
        File.CreateSymbolicLink(_fs.At("tree/link"), "größe/deep/file");
        await desk.Shell($"mkfifo {_fs.At("tree")}/pipe; truncate -s 50M {_fs.At("tree")}/holes; printf n > {_fs.At("tree")}/$'\\xff'");
        using (var answer = await _fs.GetAsync(_fs.At("tree"), "", ("Accept", "application/x-tar")))
        {
            Assert.Equal("application/x-tar", answer.Content.Headers.ContentType!.MediaType);
            await using var archive = File.Create(_fs.At("tree.tar"));
            await answer.Content.CopyToAsync(archive, TestContext.Current.CancellationToken);
        }

        await desk.Shell($"cd {_fs.Folder} && mkdir out && tar -xf tree.tar -C out && diff <(cd tree && find . -printf '%P %y %m %s %l\\n' | sort) <(cd out && find . -printf '%P %y %m %s %l\\n' | sort) && cmp tree/größe/deep/file out/größe/deep/file");
    }

    [Fact]
    public async Task A_reader_that_goes_away_leaves_nothing_open()
    {
        using (var sparse = File.Create(_fs.At("huge")))
        {
            sparse.SetLength(4L << 30);
        }

        for (var i = 0; i < 20; i++)
        {
            using var answer = await _fs.GetAsync(_fs.At("huge"));
            var some = new byte[1000];
            await (await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken)).ReadExactlyAsync(some, TestContext.Current.CancellationToken);
        }

        var open = await Eventually.Is(() => Directory.GetFiles("/proc/self/fd").Count(fd => new FileInfo(fd).LinkTarget == _fs.At("huge")), count => count == 0);
        Assert.Equal(0, open);
    }

    [Fact]
    public async Task A_huge_file_takes_no_more_memory_than_a_small_one()
    {
        using (var sparse = File.Create(_fs.At("huge")))
        {
            sparse.SetLength(5L << 30);
            sparse.Position = 3_000_000_000;
            sparse.Write(Encoding.ASCII.GetBytes(new string('m', 1000)));
        }

        GC.Collect();
        var before = Environment.WorkingSet;
        using var answer = await _fs.GetAsync(_fs.At("huge"));
        await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var (buffer, total, marks, most) = (new byte[1 << 20], 0L, 0, 0L);
        for (int read; (read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0; total += read)
        {
            marks += buffer.AsSpan(0, read).Count((byte)'m');
            most = Math.Max(most, total % (256 << 20) < read ? Environment.WorkingSet : 0);
        }

        Assert.Equal((5L << 30, 1000), (total, marks));
        Assert.True(most - before < 200 << 20, $"grew by {(most - before) >> 20} MiB");
    }
}
