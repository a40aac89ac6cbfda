using System.IO.Pipelines;
using System.Text;

namespace Carrel.Server.Tests.Simulation;

/// <summary>How a desktop takes it that it is asked whether it is ready.</summary>
internal enum Greeting
{
    Well,
    Error,
    Broken,
    Dies,
}

/// <summary>A connection to a deskd that answers as soon as it is asked.</summary>
internal sealed class SimDesk(SimMachine machine) : Stream
{
    private readonly Pipe _answers = new();
    private readonly StringBuilder _asked = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answers.Reader.AsStream(leaveOpen: true).ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _asked.Append(Encoding.ASCII.GetString(buffer.Span));
        var text = _asked.ToString();
        var isWhole = text.Contains("chunked", StringComparison.Ordinal)
            ? text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal)
            : text.EndsWith("\r\n\r\n", StringComparison.Ordinal) || !text.StartsWith("GET", StringComparison.Ordinal) && text.EndsWith('}');
        if (isWhole)
        {
            _asked.Clear();
            await AnswerAsync(text.StartsWith("GET /ready", StringComparison.Ordinal) ? machine.Greeting : Greeting.Well);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _answers.Writer.Complete();
        base.Dispose(disposing);
    }

    private async Task AnswerAsync(Greeting how)
    {
        switch (how)
        {
            case Greeting.Dies:
                machine.Die();
                await _answers.Writer.CompleteAsync(new IOException("connection reset"));
                break;
            case Greeting.Broken:
                await _answers.Writer.CompleteAsync(new IOException("connection reset"));
                break;
            default:
                const string Report = """{"ready":true,"desktop":{}}""";
                var status = how == Greeting.Error ? "500 Broken" : "200 OK";
                await _answers.Writer.WriteAsync(Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Report.Length}\r\n\r\n{Report}"));
                break;
        }
    }
}
