using System.IO.Pipelines;
using Carrel.Contracts;
using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Deskd.Http;

/// <summary>One request and the way to answer it.</summary>
internal sealed class Exchange(IFeatureCollection features)
{
    private readonly IHttpRequestFeature _request = features.GetRequiredFeature<IHttpRequestFeature>();
    private Query? _query;

    public string Method => _request.Method;

    public string Path => _request.Path;

    public Query Query => _query ??= new Query(_request.QueryString);

    public string Accept => _request.Headers.Accept.ToString();

    public string Authorization => _request.Headers.Authorization.ToString();

    /// <summary>Whether the request came over the host's socket, which a guest cannot reach.</summary>
    public bool FromHost => features.Get<HostConnection>() is not null;

    /// <summary>Cancelled when the client goes away.</summary>
    public CancellationToken Aborted => features.GetRequiredFeature<IHttpRequestLifetimeFeature>().RequestAborted;

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
        using var picture = reply.Picture;
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        response.StatusCode = reply.Status;
        response.Headers.ContentType = reply.ContentType;
        response.Headers.ContentLength = reply.Head.Length + (picture?.Size ?? 0);
        foreach (var (name, value) in reply.Headers)
        {
            response.Headers[name] = value;
        }

        var body = features.GetRequiredFeature<IHttpResponseBodyFeature>().Writer;
        if (!reply.Head.IsEmpty)
        {
            await body.WriteAsync(reply.Head, Aborted);
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
