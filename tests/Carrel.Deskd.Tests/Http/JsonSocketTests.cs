using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Tests.Http;

public sealed class JsonSocketTests : IDisposable
{
    private readonly WebSocket _peer;
    private readonly JsonSocket _socket;

    public JsonSocketTests()
    {
        var (there, back) = (new Pipe(), new Pipe());
        _peer = WebSocket.CreateFromStream(new PipeStream(back.Reader, there.Writer), isServer: false, null, TimeSpan.Zero);
        _socket = new JsonSocket(WebSocket.CreateFromStream(new PipeStream(there.Reader, back.Writer), isServer: true, null, TimeSpan.Zero), TimeProvider.System);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _peer.Dispose();
    }

    [Fact]
    public async Task A_message_comes_whole_however_it_is_cut_and_framed()
    {
        var text = Encoding.UTF8.GetBytes($$"""{"type":"input","data":"{{new string('é', 20_000)}}"}""");
        var receiving = _socket.ReceiveAsync();
        await _peer.SendAsync(text.AsMemory(0, 1001), WebSocketMessageType.Binary, endOfMessage: false, default);
        await _peer.SendAsync(text.AsMemory(1001), WebSocketMessageType.Binary, endOfMessage: true, default);

        Assert.Equal(new string('é', 20_000), (await receiving)!.Value.GetProperty("data").GetString());
    }

    [Fact]
    public async Task A_ping_is_answered()
    {
        var receiving = _socket.ReceiveAsync();
        await SendAsync("""{"type":"ping"}""");

        Assert.Equal("""{"type":"pong"}""", await ReadAsync());
        Assert.False(receiving.IsCompleted);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""{"no":"type"}""")]
    [InlineData("""{"type":7}""")]
    [InlineData("")]
    public async Task What_is_no_message_is_told_and_the_socket_goes_on(string garbage)
    {
        var receiving = _socket.ReceiveAsync();
        await SendAsync(garbage);
        await SendAsync("""{"type":"after"}""");

        Assert.Contains("\"type\":\"error\"", await ReadAsync(), StringComparison.Ordinal);
        Assert.Equal("after", (await receiving)!.Value.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_message_too_long_closes_with_1009()
    {
        var receiving = _socket.ReceiveAsync();
        var sending = _peer.SendAsync(new byte[JsonSocket.MaxMessageBytes + 1], WebSocketMessageType.Text, true, default);

        Assert.Equal(1009, await CloseCodeAsync());
        Assert.Null(await receiving);
        await sending;
    }

    [Fact]
    public async Task Many_may_send_at_once()
    {
        var sending = Task.WhenAll(Enumerable.Range(0, 200).Select(n => _socket.SendAsync(json => json.WriteNumber("n"u8, n))));
        var seen = new HashSet<int>();
        for (var i = 0; i < 200; i++)
        {
            seen.Add(JsonDocument.Parse(await ReadAsync()).RootElement.GetProperty("n").GetInt32());
        }

        await sending;
        Assert.Equal(200, seen.Count);
    }

    [Fact]
    public async Task The_peers_close_is_answered_and_ends_the_reading()
    {
        var receiving = _socket.ReceiveAsync();
        await _peer.CloseAsync((WebSocketCloseStatus)4000, "bye", default);

        Assert.Null(await receiving);
        Assert.Equal(1000, (int)_peer.CloseStatus!);
    }

    [Fact]
    public async Task A_peer_that_never_answers_a_close_is_not_waited_for()
    {
        var receiving = _socket.ReceiveAsync();
        await _socket.CloseAsync(4500, "failed");

        Assert.Null(await receiving);
    }

    private Task SendAsync(string text) => _peer.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, default);

    private async Task<string> ReadAsync()
    {
        var buffer = new byte[4096];
        var read = await _peer.ReceiveAsync(buffer, default);
        return Encoding.UTF8.GetString(buffer, 0, read.Count);
    }

    private async Task<int> CloseCodeAsync()
    {
        var read = await _peer.ReceiveAsync(new byte[4096], default);
        Assert.Equal(WebSocketMessageType.Close, read.MessageType);
        await _peer.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", default);
        return (int)read.CloseStatus!;
    }

    private sealed class PipeStream(PipeReader reader, PipeWriter writer) : Stream
    {
        private readonly Stream _in = reader.AsStream();
        private readonly Stream _out = writer.AsStream();

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _in.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _out.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => _out.FlushAsync(cancellationToken);

        public override void Flush() => _out.Flush();

        public override int Read(byte[] buffer, int offset, int count) => _in.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => _out.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _in.Dispose();
                _out.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
