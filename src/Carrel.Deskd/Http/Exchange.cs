using System.IO.Pipelines;
using System.Net.WebSockets;
using Carrel.Contracts;
using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Deskd.Http;

/// <summary>One request and the way to answer it.</summary>
internal sealed class Exchange(IFeatureCollection features)
{
    private readonly IHttpRequestFeature _request = features.GetRequiredFeature<IHttpRequestFeature>();
    private static readonly IReadOnlyDictionary<string, string> EmptyPathValues = new Dictionary<string, string>();
    private Query? _query;

    public string Method => _request.Method;

    public string Path => _request.Path;

    /// <summary>The path and query as they were sent, nothing decoded.</summary>
    public string RawTarget => _request.RawTarget;

    public Query Query => _query ??= new Query(_request.QueryString);

    public string Accept => _request.Headers.Accept.ToString();

    public string Authorization => _request.Headers.Authorization.ToString();

    /// <summary>Whether the request came over the host's socket, which a guest cannot reach.</summary>
    public bool FromHost => features.Get<HostConnection>() is not null;

    /// <summary>What the parts of the path stand for that its route leaves open, by their names in it.</summary>
    public IReadOnlyDictionary<string, string> PathValues { get; set; } = EmptyPathValues;

    public bool IsWebSocketRequest => Upgrade.IsUpgradableRequest && WebSocketHandshake.IsRequested(_request.Headers);

    /// <summary>Cancelled when the client goes away.</summary>
    public CancellationToken Aborted => features.GetRequiredFeature<IHttpRequestLifetimeFeature>().RequestAborted;

    private IHttpUpgradeFeature Upgrade => features.GetRequiredFeature<IHttpUpgradeFeature>();

    /// <summary>Becomes a WebSocket (RFC 6455). The handler serves it and returns <see cref="Reply.Taken"/> when it is over.</summary>
    public async Task<WebSocket> AcceptWebSocketAsync()
    {
        features.GetRequiredFeature<IHttpResponseFeature>().Headers.SecWebSocketAccept = WebSocketHandshake.Accept(_request.Headers);
        // No pings of our own: whoever connects sits on the same host, where no peer is ever half-open.
        return WebSocket.CreateFromStream(await UpgradeAsync("websocket"), new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero });
    }

    /// <summary>Becomes a stream of raw bytes both ways. The handler serves it and returns <see cref="Reply.Taken"/> when it is over.</summary>
    public async Task<Stream> UpgradeAsync(string protocol)
    {
        features.GetRequiredFeature<IHttpResponseFeature>().Headers.Upgrade = protocol;
        return await Upgrade.UpgradeAsync();
    }

    /// <summary>Whether the client asks for an upgrade to <paramref name="protocol"/>.</summary>
    public bool Wants(string protocol) =>
        Upgrade.IsUpgradableRequest && string.Equals(_request.Headers.Upgrade, protocol, StringComparison.OrdinalIgnoreCase);

    /// <summary>The request's body as it comes, of any length unless <paramref name="maxBytes"/> says otherwise (reading more throws).</summary>
    public Stream OpenBody(long? maxBytes = null)
    {
        features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = maxBytes;
        return _request.Body;
    }

    /// <summary>As <see cref="OpenBody"/>, without a limit and without a copy: in the buffers it was received in.</summary>
    public PipeReader OpenBodyPipe()
    {
        var body = OpenBody();
        return features.Get<IRequestBodyPipeFeature>()?.Reader ?? PipeReader.Create(body);
    }

    /// <summary>Where a streamed answer is written without a copy. For the writer of a <see cref="Reply.Streamed"/> answer.</summary>
    public async Task<PipeWriter> StartAnswerAsync()
    {
        var body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await body.StartAsync(Aborted);
        return body.Writer;
    }

    /// <summary>A header of the request, or null.</summary>
    public string? Header(string name) => _request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Breaks the connection off.</summary>
    public void Abort() => features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort();

    /// <summary>The request's JSON, or the answer that refuses it.</summary>
    public async Task<(Body? Body, Reply? Problem)> ReadBodyAsync(int maxBytes)
    {
        var reader = features.Get<IRequestBodyPipeFeature>()?.Reader ?? PipeReader.Create(_request.Body);
        while (true)
        {
            var read = await reader.ReadAsync(Aborted);
            if (read.Buffer.Length > maxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                return (null, Reply.Error(413, ErrorCodes.PayloadTooLarge, $"the body must be at most {maxBytes} bytes"));
            }

            if (read.IsCompleted)
            {
                var bytes = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
                reader.AdvanceTo(read.Buffer.End);
                return Body.Parse(bytes);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public async Task SendAsync(Reply reply)
    {
        if (reply == Reply.Taken)
        {
            return;
        }

        using var picture = reply.Picture;
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        response.StatusCode = reply.Status;
        response.Headers.ContentType = reply.ContentType;
        response.Headers.ContentLength = reply.Body is null ? reply.Head.Length + (picture?.Size ?? 0) : reply.BodyLength;
        foreach (var (name, value) in reply.Headers)
        {
            response.Headers[name] = value;
        }

        var body = features.GetRequiredFeature<IHttpResponseBodyFeature>().Writer;
        if (!reply.Head.IsEmpty)
        {
            await body.WriteAsync(reply.Head, Aborted);
        }

        if (reply.Body is { } write && Method != "HEAD")
        {
            await write(features.GetRequiredFeature<IHttpResponseBodyFeature>().Stream, Aborted);
        }

        for (var sent = 0; picture is not null && sent < picture.Size;)
        {
            // In pieces of the pipe's own buffers, so that a picture is copied once and no megabyte array is made.
            sent += Copy(picture, sent, body);
            await body.FlushAsync(Aborted);
        }
    }

    private static int Copy(Screen.EncodedPicture picture, int from, PipeWriter body)
    {
        var span = body.GetSpan(64 * 1024);
        var count = Math.Min(span.Length, picture.Size - from);
        picture.Bytes.Slice(from, count).CopyTo(span);
        body.Advance(count);
        return count;
    }
}

/// <summary>Set on connections over the host's socket.</summary>
internal sealed class HostConnection
{
    public static readonly HostConnection Mark = new();
}
