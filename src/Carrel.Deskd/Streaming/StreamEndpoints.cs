using System.Globalization;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Http;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Streaming;

/// <summary>The computer's one stream (reference section 9). For the host only, which knows the targets and their keys.</summary>
internal sealed class StreamEndpoints(DisplayLink link, int display, TimeProvider time) : IAsyncDisposable
{
    public static readonly TextField Name = new("name", "What the target is called.", true, 1000);
    public static readonly TextField Url = new("url", "rtmp:// or rtmps://, with the application.", true, StreamTarget.LongestField);
    public static readonly TextField Key = new("stream_key", "What the target knows the stream by.", false, StreamTarget.LongestField);
    public static readonly IntegerField Width = new("width", "Width of the picture; that of the screen where absent.", false, 160, 3840);
    public static readonly IntegerField Height = new("height", "Height of the picture; that of the screen where absent.", false, 90, 2160);
    public static readonly IntegerField Fps = new("fps", "Pictures a second.", false, 1, 60, 15);
    public static readonly IntegerField Kilobits = new("bitrate_kbps", "Kilobits a second of the picture.", false, 100, 20000, 2500);
    public static readonly FlagField Silent = new("silent", "Without sound.");
    public static readonly IntegerField Reconnect = new("reconnect_seconds", "How long a target that broke off is tried again.", false, 0, 3600, 300);

    private readonly Lock _gate = new();
    private StreamRun? _run;

    public IEnumerable<Route> Routes =>
    [
        new Route("POST", "/stream/start", "Streams the screen and its sound to an RTMP target.", StartAsync, Access.Host)
        {
            Body = [Name, Url, Key, Width, Height, Fps, Kilobits, Silent, Reconnect],
        },
        new Route("GET", "/stream/status", "How the stream stands.", StatusAsync, Access.Host),
        new Route("POST", "/stream/stop", "Ends the stream.", StopAsync, Access.Host),
    ];

    public async ValueTask DisposeAsync()
    {
        if (_run is { } run)
        {
            await run.StopAsync();
        }
    }

    private async Task<Reply> StartAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var target = StreamTarget.Parse(body.Read(Url), body.Read(Key));
        var order = new StreamOrder(
            body.Read(Name), target!, ReadScale(body), body.Read(Fps), body.Read(Kilobits), !body.Read(Silent), TimeSpan.FromSeconds(body.Read(Reconnect)));
        if (target is null && body.Problem is null)
        {
            body.Refuse(Url, "must be like rtmp://host[:port]/application, without a user, and neither it nor the key may hold spaces", 0);
        }

        return body.Problem ?? await StartAsync(order, exchange.Aborted);
    }

    private async Task<Reply> StartAsync(StreamOrder order, CancellationToken aborted)
    {
        var run = new StreamRun(order, Screen(order.Fps, order.Audio), time);
        lock (_gate)
        {
            if (_run is { State.Terminated: false } other)
            {
                run.Dispose();
                return Reply.Error(409, ErrorCodes.AlreadyStreaming, $"the computer streams to {other.Order.Name} already; stop that first");
            }

            _run = run;
        }

        string? why = "it was given up";
        try
        {
            why = await run.BeginAsync(aborted);
        }
        finally
        {
            if (why is not null)
            {
                Forget(run);
            }
        }

        return why is null
            ? Reply.Json(200, json =>
            {
                json.WriteBoolean("success"u8, true);
                WriteStatus(json, run);
            })
            : Reply.Error(422, ErrorCodes.StreamFailed, $"the stream to {order.Name} did not begin: {why}");
    }

    private Task<Reply> StatusAsync(Exchange exchange)
    {
        StreamRun? run;
        lock (_gate)
        {
            run = _run;
        }

        return Task.FromResult(Reply.Json(200, json => WriteStatus(json, run)));
    }

    private async Task<Reply> StopAsync(Exchange exchange)
    {
        StreamRun? run;
        lock (_gate)
        {
            run = _run;
        }

        if (run is not null)
        {
            await run.StopAsync();
            Forget(run);
        }

        return Reply.Json(200, json => json.WriteBoolean("success"u8, true));
    }

    private void Forget(StreamRun run)
    {
        lock (_gate)
        {
            if (_run == run)
            {
                _run = null;
            }
        }
    }

    private static void WriteStatus(Utf8JsonWriter json, StreamRun? run)
    {
        // One that has not begun is none: its start has yet to be answered.
        if (run?.State is not { } state || (!state.Terminated && !state.Reconnecting && state.Pid is null))
        {
            json.WriteString("status"u8, "idle"u8);
            return;
        }

        json.WriteString("status"u8, state.Terminated ? "terminated"u8 : "streaming"u8);
        json.WriteString("connection_name"u8, run.Order.Name);
        json.WriteString("start_time"u8, Time(state.Started));
        json.WriteBoolean("reconnecting"u8, state.Reconnecting);
        json.WriteNumber("reconnects"u8, state.Reconnects);
        if (state.Pid is { } pid)
        {
            json.WriteNumber("pid"u8, pid);
        }

        if (state.Reason is { } reason)
        {
            json.WriteString("reason"u8, reason);
        }

        if (state.Ended is { } ended)
        {
            json.WriteString("ended_at"u8, Time(ended));
        }
    }

    private Func<Capture?> Screen(int fps, bool audio) => () =>
        link.Current is { } there ? Capture.Of(display, there.Size, fps, audio) : null;

    private static (int Width, int Height)? ReadScale(Body body)
    {
        if (!body.Has(Width) && !body.Has(Height))
        {
            return null;
        }

        return body.Has(Width) && body.Has(Height)
            ? (body.Read(Width) & ~1, body.Read(Height) & ~1)
            : body.Refuse<(int, int)?>(Width, "and height go together", null);
    }

    private static string Time(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
