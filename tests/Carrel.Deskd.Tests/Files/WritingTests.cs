using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Files;

public sealed class WritingTests(Desk desk) : IClassFixture<Desk>, IAsyncDisposable
{
    private readonly FileSystem _fs = new(desk);

    public ValueTask DisposeAsync() => _fs.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(70_000)]
    [InlineData(20_000_000)]
    public async Task What_is_put_is_what_is_there(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);

        var (status, answer) = await _fs.JsonAsync(HttpMethod.Put, FileSystem.Url(_fs.At("new")), new ByteArrayContent(bytes));

        Assert.Equal((201, size, "0644"), (status, answer.GetProperty("size").GetInt32(), answer.GetProperty("mode").GetString()));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(_fs.At("new"), TestContext.Current.CancellationToken));
        Assert.Single(Directory.GetFileSystemEntries(_fs.Folder));
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_taken()
    {
        using var content = new StreamContent(new NoLength(RandomNumberGenerator.GetBytes(500_000)));

        Assert.Equal(201, (await _fs.JsonAsync(HttpMethod.Put, FileSystem.Url(_fs.At("new")), content)).Status);
        Assert.Equal(500_000, new FileInfo(_fs.At("new")).Length);
    }

    [Fact]
    public async Task A_file_that_is_replaced_keeps_its_permissions_and_owner()
    {
        await desk.Shell($"cd {_fs.Folder} && printf old > file && chown 1234:567 file && chmod 4711 file && ln -s file link");

        Assert.Equal(200, (await _fs.PutAsync(_fs.At("link"), "new")).Status);

        Assert.Equal("new", await File.ReadAllTextAsync(_fs.At("file"), TestContext.Current.CancellationToken));
        await desk.Shell($"cd {_fs.Folder} && test -L link && test \"$(stat -c '%a %u %g' file)\" = '4711 1234 567'");
        Assert.Equal("0600", (await _fs.PutAsync(_fs.At("file"), "x", "?mode=600")).Answer.GetProperty("mode").GetString());
    }

    [Fact]
    public async Task Who_reads_while_it_is_replaced_reads_the_old()
    {
        using var open = File.OpenText(_fs.Write("file", "old"));

        await _fs.PutAsync(_fs.At("file"), "new");

        Assert.Equal("old", await open.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("none/file", "", 404, "not_found")]
    [InlineData("file/below", "", 409, "not_a_directory")]
    [InlineData("file", "?keep", 409, "already_exists")]
    [InlineData("folder", "", 409, "is_a_directory")]
    [InlineData("pipe", "", 409, "not_a_file")]
    [InlineData("new", "?mode=888", 400, "invalid_field")]
    [InlineData("../../proc/new", "", 404, "not_found")]
    public async Task What_cannot_be_written_is_told(string name, string query, int status, string code)
    {
        _fs.Write("file", "old");
        Directory.CreateDirectory(_fs.At("folder"));
        await desk.Shell($"mkfifo {_fs.At("pipe")}");

        var (got, answer) = await _fs.PutAsync(_fs.At(name), "x", query);

        Assert.Equal((status, code), (got, answer.GetProperty("code").GetString()));
        Assert.Equal(["file", "folder", "pipe"], Directory.GetFileSystemEntries(_fs.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task More_than_the_disk_holds_is_refused_before_it_is_sent_and_while_it_is()
    {
        await desk.Shell($"mkdir {_fs.At("small")} && mount -t tmpfs -o size=2m tmpfs {_fs.At("small")}");
        try
        {
            var (early, answer) = await _fs.JsonAsync(HttpMethod.Put, FileSystem.Url(_fs.At("small/known")), new ByteArrayContent(new byte[5_000_000]));
            Assert.Equal((507, "disk_full"), (early, answer.GetProperty("code").GetString()));
            using var content = new StreamContent(new NoLength(new byte[5_000_000]));
            var (late, _) = await _fs.JsonAsync(HttpMethod.Put, FileSystem.Url(_fs.At("small/unknown")), content);
            Assert.Equal(507, late);
            Assert.Empty(Directory.GetFileSystemEntries(_fs.At("small")));
        }
        finally
        {
            await desk.Shell($"umount {_fs.At("small")}");
        }
    }

    [Fact]
    public async Task A_read_only_place_is_403()
    {
        await desk.Shell($"mkdir {_fs.At("fixed")} && mount -t tmpfs -o ro tmpfs {_fs.At("fixed")}");
        try
        {
            Assert.Equal(403, (await _fs.PutAsync(_fs.At("fixed/file"), "x")).Status);
            Assert.Equal(403, (await _fs.PostAsync(_fs.At("fixed/folder"), new { action = "mkdir" })).Status);
        }
        finally
        {
            await desk.Shell($"umount {_fs.At("fixed")}");
        }
    }

    [Fact]
    public async Task A_writer_that_breaks_off_leaves_what_was_there()
    {
        _fs.Write("file", "old");
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync("127.0.0.1", desk.TcpPort, TestContext.Current.CancellationToken);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"PUT {FileSystem.Url(_fs.At("file"))} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Desk.Token}\r\nContent-Length: 1000000\r\n\r\n{new string('n', 200_000)}"), TestContext.Current.CancellationToken);
            Assert.Equal(2, await Eventually.Is(() => Directory.GetFileSystemEntries(_fs.Folder).Length, count => count == 2));
            socket.Client.LingerState = new LingerOption(true, 0);
        }

        Assert.Equal(1, await Eventually.Is(() => Directory.GetFileSystemEntries(_fs.Folder).Length, count => count == 1));
        Assert.Equal("old", await File.ReadAllTextAsync(_fs.At("file"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Folders_are_made_with_their_parents_where_wanted()
    {
        Assert.Equal(404, (await _fs.PostAsync(_fs.At("a/b/c"), new { action = "mkdir" })).Status);
        Assert.Equal((201, "0700"), await ModeOf(_fs.PostAsync(_fs.At("a/b/c"), new { action = "mkdir", parents = true, mode = "700" })));
        Assert.Equal(200, (await _fs.PostAsync(_fs.At("a/b/c"), new { action = "mkdir", parents = true })).Status);
        Assert.Equal(409, (await _fs.PostAsync(_fs.At("a/b/c"), new { action = "mkdir" })).Status);
        Assert.Equal(201, (await _fs.PutAsync(_fs.At("x/y/z"), "deep", "?parents=true")).Status);
        Assert.Equal("deep", await File.ReadAllTextAsync(_fs.At("x/y/z"), TestContext.Current.CancellationToken));

        static async Task<(int, string?)> ModeOf(Task<(int Status, JsonElement Answer)> made)
        {
            var (status, answer) = await made;
            return (status, answer.GetProperty("mode").GetString());
        }
    }

    [Fact]
    public async Task Moving_takes_a_file_elsewhere_and_can_spare_what_is_there()
    {
        _fs.Write("one", "1");
        _fs.Write("two", "2");

        Assert.Equal(409, (await _fs.PostAsync(_fs.At("one"), new { action = "move", to = _fs.At("two"), keep = true })).Status);
        Assert.Equal(404, (await _fs.PostAsync(_fs.At("one"), new { action = "move", to = _fs.At("no/two") })).Status);
        Assert.Equal(200, (await _fs.PostAsync(_fs.At("one"), new { action = "move", to = _fs.At("new/two"), parents = true })).Status);
        Assert.Equal(200, (await _fs.PostAsync(_fs.At("new/two"), new { action = "move", to = _fs.At("two") })).Status);
        Assert.Equal("1", await File.ReadAllTextAsync(_fs.At("two"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(_fs.At("one")));
        Assert.Equal(400, (await _fs.PostAsync(_fs.At("new"), new { action = "move", to = _fs.At("new/inside") })).Status);
        Assert.Equal(400, (await _fs.PostAsync(_fs.At("new"), new { action = "move" })).Status);
        Assert.Equal(400, (await _fs.PostAsync(_fs.At("new"), new { action = "rename" })).Status);
    }

    [Fact]
    public async Task Moving_to_another_file_system_copies()
    {
        Directory.CreateDirectory(_fs.At("tree/inner"));
        _fs.Write("tree/inner/file", "moved");
        await desk.Shell($"mkdir {_fs.At("other")} && mount -t tmpfs tmpfs {_fs.At("other")}");
        try
        {
            var (status, answer) = await _fs.PostAsync(_fs.At("tree"), new { action = "move", to = _fs.At("other/tree") });

            Assert.True(status == 200, answer.ToString());
            Assert.Equal("moved", await File.ReadAllTextAsync(_fs.At("other/tree/inner/file"), TestContext.Current.CancellationToken));
            Assert.False(Directory.Exists(_fs.At("tree")));
            Assert.Equal(409, (await _fs.PostAsync(_fs.Write("file", "x"), new { action = "move", to = _fs.At("other/tree"), keep = true })).Status);
        }
        finally
        {
            await desk.Shell($"umount {_fs.At("other")}");
        }
    }

    [Fact]
    public async Task Deleting_takes_a_tree_only_when_told_to_and_never_what_a_link_in_it_leads_to()
    {
        Directory.CreateDirectory(_fs.At("tree/a/b"));
        _fs.Write("tree/a/file", "x");
        _fs.Write("kept", "kept");
        File.CreateSymbolicLink(_fs.At("tree/link"), _fs.At("kept"));
        Directory.CreateSymbolicLink(_fs.At("tree/up"), _fs.Folder);

        Assert.Equal((409, "not_empty"), await CodeOf("tree", ""));
        Assert.Equal((200, null), await CodeOf("tree", "?recursive=true"));
        Assert.Equal((404, "not_found"), await CodeOf("tree", "?recursive=true"));
        Assert.Equal(["kept"], Directory.GetFileSystemEntries(_fs.Folder).Select(Path.GetFileName));
        Assert.Equal((200, null), await CodeOf("kept", ""));
        Assert.Equal(403, (await _fs.JsonAsync(HttpMethod.Delete, "/fs/?recursive")).Status);
        Assert.Equal(403, (await _fs.JsonAsync(HttpMethod.Delete, "/fs/~?recursive")).Status);

        async Task<(int, string?)> CodeOf(string name, string query)
        {
            var (status, answer) = await _fs.JsonAsync(HttpMethod.Delete, FileSystem.Url(_fs.At(name)) + query);
            return (status, answer.TryGetProperty("code", out var code) ? code.GetString() : null);
        }
    }

    [Fact]
    public async Task A_very_deep_tree_can_be_deleted()
    {
        await desk.Shell($"mkdir {_fs.At("deep")} && cd {_fs.At("deep")} && python3 -c 'import os; [(os.mkdir(\"d\"), os.chdir(\"d\")) for _ in range(3000)]'");

        Assert.Equal(200, (await _fs.JsonAsync(HttpMethod.Delete, FileSystem.Url(_fs.At("deep")) + "?recursive")).Status);
        Assert.False(Directory.Exists(_fs.At("deep")));
    }

    [Fact]
    public async Task An_archive_is_unpacked_into_a_folder()
    {
        await desk.Shell($"cd {_fs.Folder} && mkdir -p in/x && head -c 3000000 /dev/urandom > in/x/file && tar -cf in.tar -C in .");

        using (var archive = new StreamContent(File.OpenRead(_fs.At("in.tar"))))
        {
            var (status, answer) = await _fs.JsonAsync(HttpMethod.Put, FileSystem.Url(_fs.At("out/here")) + "?archive=tar&parents", archive);
            Assert.True(status == 200, answer.ToString());
        }

        await desk.Shell($"cmp {_fs.At("in/x/file")} {_fs.At("out/here/x/file")}");
        using var garbage = new ByteArrayContent(RandomNumberGenerator.GetBytes(3_000_000));
        var (refused, why) = await _fs.JsonAsync(HttpMethod.Put, FileSystem.Url(_fs.At("out")) + "?archive=tar", garbage);
        Assert.Equal(400, refused);
        Assert.Contains("tar", why.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(404, (await _fs.PutAsync(_fs.At("nowhere"), "", "?archive=tar")).Status);
    }

    [Fact]
    public async Task The_token_is_needed_over_tcp()
    {
        using var answer = await desk.Tcp.GetAsync(new Uri(FileSystem.Url(_fs.Write("file", "x")), UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(401, (int)answer.StatusCode);
    }

    private sealed class NoLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
