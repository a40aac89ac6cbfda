using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Actions;
using Carrel.Deskd.Http;
using Carrel.Deskd.Streaming;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Recording;

/// <summary>
/// Recordings, each in a folder of its own on the computer's disk until the host has fetched and discarded it. One is made at a
/// time; what is left of an earlier one, also of one that a stop of the computer broke off, can be finished. For the host only.
/// </summary>
internal sealed class RecordingEndpoints(DisplayLink link, int display, string stateFolder, TimeProvider time) : IAsyncDisposable
{
    public static readonly TextField Id = new("id", "UUID that the host gives it.", true, 36);
    public static readonly IntegerField Fps = new("fps", "Pictures a second.", false, 1, 60, 15);
    public static readonly FlagField Silent = new("silent", "Without sound.");
    public static readonly IntegerField Longest = new("max_seconds", "It ends by itself after so long.", true, 1, 7 * 24 * 3600);
    public static readonly NumberField Largest = new("max_bytes", "It ends by itself at this size.", true, 1024 * 1024, 1L << 40);
    public static readonly TextField Title = new("title", "Its name.", true, 1000);
    public static readonly TextField Actions = new("actions", "What was done: lines of milliseconds, a tab and a text.", false, ActionLimits.CommandBytes);

    private readonly string _folder = Path.Combine(stateFolder, "recordings");
    private readonly SemaphoreSlim _finishing = new(1);
    private readonly Lock _gate = new();
    private RecordingRun? _run;
    private bool _beginning;

    public IEnumerable<Route> Routes =>
    [
        new Route("POST", "/recordings", "Begins a recording of the screen and its sound.", BeginAsync, Access.Host) { Body = [Id, Fps, Silent, Longest, Largest] },
        new Route("GET", "/recordings/{id}", "How a recording stands.", exchange => WithAsync(exchange, ShowAsync), Access.Host),
        new Route("GET", "/recordings/{id}/ended", "Answers when a recording has ended.", exchange => WithAsync(exchange, WaitAsync), Access.Host),
        new Route("POST", "/recordings/{id}/stop", "Ends a recording.", exchange => WithAsync(exchange, StopAsync), Access.Host),
        new Route("POST", "/recordings/{id}/finish", "Makes a recording that has ended ready to be fetched.", exchange => WithAsync(exchange, FinishAsync), Access.Host)
        {
            Body = [Title, Actions],
        },
        new Route("GET", "/recordings/{id}/file", "A finished recording.", exchange => WithAsync(exchange, FetchAsync), Access.Host),
        new Route("DELETE", "/recordings/{id}", "Discards a recording.", exchange => WithAsync(exchange, DiscardAsync), Access.Host),
    ];

    /// <summary>A recording under way is ended properly; it waits on the disk for the next deskd.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_run is { } run)
        {
            await run.StopAsync();
        }
    }

    private async Task<Reply> BeginAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.InputBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        if (!Guid.TryParseExact(body.Read(Id), "D", out var id))
        {
            body.Refuse(Id, "must be a UUID", 0);
        }

        var (fps, audio) = (body.Read(Fps), !body.Read(Silent));
        var order = new RecordingOrder(id, fps, audio, TimeSpan.FromSeconds(body.Read(Longest)), (long)body.Read(Largest));
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        if (link.Current is not { } screen)
        {
            return DeskdApplication.DisplayAway();
        }

        lock (_gate)
        {
            if (_beginning || _run is { Ended.IsCompleted: false })
            {
                return Reply.Error(409, ErrorCodes.AlreadyRecording, "the computer is being recorded already; stop that first");
            }

            _beginning = true;
        }

        try
        {
            Directory.CreateDirectory(FolderOf(id));
            var (run, why) = await RecordingRun.BeginAsync(
                order, Capture.Of(display, screen.Size, fps, audio), Path.Combine(FolderOf(id), Finishing.RawName), time, exchange.Aborted);
            if (run is null)
            {
                Directory.Delete(FolderOf(id), recursive: true);
                return Reply.Error(422, ErrorCodes.RecordingFailed, $"the recording did not begin: {why}");
            }

            _run = run;
            return Reply.Json(200, json => WriteState(json, run));
        }
        catch (IOException e)
        {
            return Reply.Error(422, ErrorCodes.RecordingFailed, $"the recording did not begin: {e.Message}");
        }
        finally
        {
            _beginning = false;
        }
    }

    private Task<Reply> ShowAsync(Exchange exchange, Guid id) =>
        Task.FromResult(Reply.Json(200, json => WriteState(json, Running(id))));

    private async Task<Reply> WaitAsync(Exchange exchange, Guid id)
    {
        var run = Running(id);
        if (run is not null)
        {
            await run.Ended.WaitAsync(exchange.Aborted);
        }

        return Reply.Json(200, json => WriteState(json, run));
    }

    private async Task<Reply> StopAsync(Exchange exchange, Guid id)
    {
        var run = Running(id);
        if (run is not null)
        {
            await run.StopSoonAsync();
        }

        return Reply.Json(200, json => WriteState(json, run));
    }

    private async Task<Reply> FinishAsync(Exchange exchange, Guid id)
    {
        var (body, problem) = await exchange.ReadBodyAsync(ActionLimits.LargeBodyBytes);
        if (body is null)
        {
            return problem!;
        }

        var (title, actions) = (body.Read(Title), body.Read(Actions));
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        if (Running(id) is { Ended.IsCompleted: false })
        {
            return Reply.Error(409, ErrorCodes.RecordingUnfinished, "the recording is under way; stop it first");
        }

        await _finishing.WaitAsync(exchange.Aborted);
        try
        {
            var (finished, why) = await Finishing.RunAsync(display, FolderOf(id), title, ActionTrack.Parse(actions), exchange.Aborted);
            return finished is null
                ? Reply.Error(422, ErrorCodes.RecordingFailed, $"the recording cannot be used: {why}")
                : Reply.Json(200, json =>
                {
                    json.WriteNumber("size"u8, finished.Bytes);
                    json.WriteNumber("duration_ms"u8, (long)finished.Length.TotalMilliseconds);
                    json.WriteNumber("actions"u8, finished.Actions);
                    if (finished.Problem is { } problem)
                    {
                        json.WriteString("problem"u8, problem);
                    }
                });
        }
        catch (IOException e)
        {
            return Reply.Error(422, ErrorCodes.RecordingFailed, $"the recording cannot be finished: {e.Message}");
        }
        finally
        {
            _finishing.Release();
        }
    }

    private Task<Reply> FetchAsync(Exchange exchange, Guid id)
    {
        var file = Finishing.FileIn(FolderOf(id));
        return Task.FromResult(Reply.Streamed(200, "video/mp4", file.Length, async (body, cancellationToken) =>
        {
            await using var content = file.OpenRead();
            await content.CopyToAsync(body, cancellationToken);
        }));
    }

    private async Task<Reply> DiscardAsync(Exchange exchange, Guid id)
    {
        if (Running(id) is { } run)
        {
            await run.StopAsync();
        }

        Directory.Delete(FolderOf(id), recursive: true);
        return Reply.Json(200, json => json.WriteBoolean("success"u8, true));
    }

    private Task<Reply> WithAsync(Exchange exchange, Func<Exchange, Guid, Task<Reply>> handle) =>
        Guid.TryParseExact(exchange.PathValues["id"], "D", out var id) && Directory.Exists(FolderOf(id))
            ? handle(exchange, id)
            : Task.FromResult(Reply.Error(404, ErrorCodes.NotFound, "there is no such recording in this computer"));

    private RecordingRun? Running(Guid id) => _run is { } run && run.Order.Id == id ? run : null;

    private string FolderOf(Guid id) => Path.Combine(_folder, id.ToString("D"));

    /// <param name="run">Null for what was left by a deskd before this one.</param>
    private static void WriteState(Utf8JsonWriter json, RecordingRun? run)
    {
        if (run is { Ended.IsCompleted: false })
        {
            json.WriteString("status"u8, "recording"u8);
            json.WriteNumber("elapsed_ms"u8, run.Elapsed.TotalMilliseconds);
            return;
        }

        json.WriteString("status"u8, "ended"u8);
        if (run is null)
        {
            json.WriteString("reason"u8, "the computer ended while it was being recorded"u8);
        }
        else if (run.Ended.Result is { } why)
        {
            json.WriteString("reason"u8, why);
        }
    }
}
