using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace Carrel.Server.Actions;

/// <summary>A request's body on its way to the desktop. Knows whether sending began.</summary>
internal sealed class SequenceContent : HttpContent
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private readonly ReadOnlySequence<byte> _body;

    public SequenceContent(ReadOnlySequence<byte> body)
    {
        _body = body;
        Headers.ContentType = Json;
    }

    /// <summary>Some of it may have reached the desktop.</summary>
    public bool Began { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Began = true;
        foreach (var segment in _body)
        {
            await stream.WriteAsync(segment, cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
