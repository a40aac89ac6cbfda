using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Carrel.Contracts;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Hosting;
using Carrel.Server.State;

namespace Carrel.Server.Recordings;

/// <summary>What a new recording is to be.</summary>
internal sealed record RecordingWish(string Id, string? Name, int Fps, bool Audio, bool Redact);

/// <summary>
/// Recordings from their beginning to the finished film. (1) A row is written. (2) deskd begins, and says how old its first
/// picture is: actions are noted from there. (3) A stop, a limit, the death of ffmpeg or the end of the computer ends it.
/// (4) deskd makes the film with the actions in it. (5) The film is fetched, (6) written down as finished, and (7) discarded
/// inside. What is cut off between 3 and 7 begins again at 3 when the computer runs next, or at once where it still does.
/// </summary>
internal sealed partial class RecordingDesk(
    RecordingStore store,
    RecordingFiles files,
    Settings settings,
    IHostApplicationLifetime application,
    TimeProvider clock,
    ILogger<RecordingDesk> log)
{
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan FinishAllowance = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>How long a computer's stop waits for a recording to be finished first.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, ActiveRecording> _active = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, List<RecordingRow>> _unfinished = new(StringComparer.Ordinal);

    /// <summary>Reads what an earlier server left unfinished. Before any computer is taken over.</summary>
    public async Task LoadAsync()
    {
        foreach (var row in await store.UnfinishedAsync())
        {
            _unfinished.GetOrAdd(row.ComputerId, _ => []).Add(row);
        }
    }

    public async Task<Outcome<RecordingRow>> StartAsync(Computer computer, MachineSession session, RecordingWish wish)
    {
        if (_active.Values.Any(other => other.Computer == computer && other.Row.Status == RecordingRow.Recording))
        {
            return new Failure(ErrorCodes.AlreadyRecording, $"Computer {computer.State.Record.Name} is being recorded already.", "Stop that recording first.");
        }

        var now = clock.GetUtcNow();
        var row = new RecordingRow
        {
            Id = wish.Id,
            ComputerId = computer.Id,
            Name = wish.Name ?? string.Create(CultureInfo.InvariantCulture, $"Recording of {now.UtcDateTime:yyyy-MM-dd HH:mm:ss}"),
            Status = RecordingRow.Recording,
            Fps = wish.Fps,
            Audio = wish.Audio,
            Redact = wish.Redact,
            CreatedAt = now.ToUnixTimeMilliseconds(),
        };
        await store.InsertAsync(row);
        var begun = await session.AskAsync(
            HttpMethod.Post,
            "/recordings",
            new JsonObject
            {
                ["id"] = row.Id,
                ["fps"] = row.Fps,
                ["silent"] = !row.Audio,
                ["max_seconds"] = settings.RecordingMaxSeconds,
                ["max_bytes"] = settings.RecordingMaxBytes,
            },
            readOnly: false,
            Allowance,
            clock,
            application.ApplicationStopping); // Not the client's: once begun it goes on, whether or not the client waits.
        if (!begun.Succeeded)
        {
            if (begun.Failure.Code is ErrorCodes.OutcomeUnknown or ErrorCodes.DesktopTimeout)
            {
                await DiscardAsync(session, row.Id);
            }

            await store.DeleteAsync(row.Id);
            return begun.Failure;
        }

        return await FollowAsync(new ActiveRecording(computer, session, row), begun.Value.NumberOf("elapsed_ms") ?? 0);
    }

    /// <summary>Ends a recording and finishes it, or waits until that is done.</summary>
    public async Task<Outcome<RecordingRow>> StopAsync(RecordingRow row)
    {
        if (_active.TryGetValue(row.Id, out var active))
        {
            return await FinishAsync(active);
        }

        // It may have been finished since the row was read.
        return (await LookAsync(row.ComputerId, row.Id))?.Row ?? row;
    }

    /// <summary>A recording and how it stands for whoever asks.</summary>
    public async Task<(RecordingRow Row, string Status)?> LookAsync(string computerId, string id)
    {
        var active = _active.ContainsKey(id); // Before the row is read: what is no longer active has its last state written.
        return await store.FindAsync(computerId, id) is { } row ? (row, StatusOf(row, active)) : null;
    }

    public async Task<IReadOnlyList<(RecordingRow Row, string Status)>> ListAsync(string computerId)
    {
        var active = _active.Keys.ToHashSet(StringComparer.Ordinal);
        return [.. (await store.OfComputerAsync(computerId)).Select(row => (row, StatusOf(row, active.Contains(row.Id))))];
    }

    /// <summary>Takes a recording away, whatever state it is in.</summary>
    public async Task DeleteAsync(Computer computer, RecordingRow row)
    {
        var instance = computer.State.Record.InstanceId;
        if (_active.TryRemove(row.Id, out var active))
        {
            // What is under way ends without its film.
            active.Row = active.Row with { Status = RecordingRow.Deleting };
            await EndNotesAsync(active);
        }

        var left = row.Status is not (RecordingRow.Finished or RecordingRow.Failed);
        if (left && (computer.State.Usable is not { } session || !await DiscardAsync(session, row.Id)))
        {
            // Its part inside goes when the computer runs again.
            var hidden = row with { Status = RecordingRow.Deleting };
            await store.UpdateAsync(hidden);
            _unfinished.GetOrAdd(computer.Id, _ => []).Add(hidden);
        }
        else
        {
            await store.DeleteAsync(row.Id);
        }

        files.Delete(instance, row.Id);
    }

    /// <summary>A computer runs: what is inside it of recordings is taken up, in the background.</summary>
    public void Resume(Computer computer, MachineSession session)
    {
        if (_unfinished.TryRemove(computer.Id, out var rows))
        {
            foreach (var row in rows)
            {
                _ = GuardedAsync(computer, () => ResumeAsync(computer, session, row));
            }
        }
    }

    /// <summary>A computer is about to be stopped: a recording is finished first where that takes short, or else put off.</summary>
    public async Task BeforeStopAsync(Computer computer)
    {
        var all = _active.Values.Where(active => active.Computer == computer).Select(FinishAsync).ToList();
        if (all.Count > 0)
        {
            Task settled = Task.WhenAll(all).WaitAsync(StopPatience, clock);
            await settled.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A computer's session has ended: what was under way of its recordings has noticed when this returns.</summary>
    public Task AfterEndAsync(Computer computer) =>
        Task.WhenAll(_active.Values.Where(active => active.Computer == computer).Select(FinishAsync));

    /// <summary>A computer is being deleted, its session has ended: its recordings go with it.</summary>
    public async Task DeleteAllAsync(Computer computer)
    {
        _unfinished.TryRemove(computer.Id, out _);
        foreach (var active in _active.Values.Where(active => active.Computer == computer).ToList())
        {
            active.Row = active.Row with { Status = RecordingRow.Deleting };
            await FinishAsync(active);
        }

        files.DeleteAll(computer.State.Record.InstanceId);
    }

    private async Task<Outcome<RecordingRow>> FollowAsync(ActiveRecording active, double elapsedMilliseconds)
    {
        var zero = clock.GetUtcNow() - TimeSpan.FromMilliseconds(Math.Clamp(elapsedMilliseconds, 0, settings.RecordingMaxSeconds * 1000.0));
        active.Row = active.Row with { Status = RecordingRow.Recording, StartedAt = active.Row.StartedAt ?? zero.ToUnixTimeMilliseconds() };
        await store.UpdateAsync(active.Row);
        active.Notes = new ActionNotes(files.ActionsFile(active.InstanceId, active.Row.Id), zero, active.Row.Redact, clock);
        _active[active.Row.Id] = active;
        active.Computer.Notes = active.Notes;
        _ = GuardedAsync(active.Computer, () => WatchAsync(active));
        Begun(log, active.InstanceId, active.Row.Id);
        return active.Row;
    }

    /// <summary>Finishes a recording that ends without being told to.</summary>
    private async Task WatchAsync(ActiveRecording active)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(active.Session.Ended, application.ApplicationStopping);
        var longest = TimeSpan.FromSeconds(settings.RecordingMaxSeconds + 600);
        try
        {
            while (active.Row.Status == RecordingRow.Recording)
            {
                var ended = await active.Session.AskAsync(HttpMethod.Get, $"/recordings/{active.Row.Id}/ended", null, readOnly: true, longest, clock, over.Token);
                if (ended.Succeeded || ended.Failure.Code == ErrorCodes.NotFound)
                {
                    break;
                }

                // deskd went away and comes back at once; where the computer did, the session's end stops this.
                await Task.Delay(Pause, clock, over.Token);
            }
        }
        catch (OperationCanceledException) when (active.Session.Ended.IsCancellationRequested)
        {
            // The computer ended: it is put off.
        }

        await FinishAsync(active);
    }

    private async Task ResumeAsync(Computer computer, MachineSession session, RecordingRow row)
    {
        if (row.Status == RecordingRow.Deleting)
        {
            if (await DiscardAsync(session, row.Id))
            {
                await store.DeleteAsync(row.Id);
            }

            return;
        }

        var active = new ActiveRecording(computer, session, row);
        var state = await session.AskAsync(HttpMethod.Get, $"/recordings/{row.Id}", null, readOnly: true, Allowance, clock, application.ApplicationStopping);
        if (state.Succeeded && state.Value.TextOf("status") == RecordingRow.Recording)
        {
            await FollowAsync(active, state.Value.NumberOf("elapsed_ms") ?? 0);
            return;
        }

        _active[row.Id] = active;
        await FinishAsync(active);
    }

    private Task<Outcome<RecordingRow>> FinishAsync(ActiveRecording active) => active.FinishOnce(async () =>
    {
        var finished = await MakeFilmAsync(active);
        var row = finished.Succeeded
            ? finished.Value
            : active.Row with
            {
                // What the desktop says cannot be used never will be; anything else is tried again when the computer runs next.
                Status = finished.Failure.Code is ErrorCodes.RecordingFailed or ErrorCodes.NotFound ? RecordingRow.Failed : RecordingRow.Interrupted,
                Reason = finished.Failure.Message,
            };
        if (active.Row.Status == RecordingRow.Deleting)
        {
            files.Delete(active.InstanceId, row.Id);
            return row;
        }

        active.Row = row;
        await store.UpdateAsync(row);
        _active.TryRemove(row.Id, out _);
        if (row.Status == RecordingRow.Interrupted)
        {
            PutOff(log, active.InstanceId, row.Id, row.Reason!);
            _unfinished.GetOrAdd(active.Computer.Id, _ => []).Add(row);
            return finished.Failure!;
        }

        if (row.Status == RecordingRow.Failed)
        {
            files.Delete(active.InstanceId, row.Id);
        }

        await DiscardAsync(active.Session, row.Id);
        Ended(log, active.InstanceId, row.Id, row.Status);
        await PruneAsync(active.Computer);
        return finished.Succeeded ? row : finished.Failure;
    });

    /// <summary>Steps 3 to 5.</summary>
    private async Task<Outcome<RecordingRow>> MakeFilmAsync(ActiveRecording active)
    {
        var (session, id) = (active.Session, active.Row.Id);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(session.Ended, application.ApplicationStopping);
        try
        {
            await EndNotesAsync(active);
            var stopped = await session.AskAsync(HttpMethod.Post, $"/recordings/{id}/stop", [], readOnly: true, Allowance, clock, over.Token);
            if (!stopped.Succeeded)
            {
                return stopped.Failure;
            }

            if (active.Row.Status != RecordingRow.Deleting)
            {
                active.Row = active.Row with { Status = RecordingRow.Finishing };
                await store.UpdateAsync(active.Row);
            }

            var notes = files.ActionsFile(active.InstanceId, id);
            var actions = File.Exists(notes) ? await File.ReadAllTextAsync(notes, over.Token) : "";
            var made = await session.AskAsync(
                HttpMethod.Post,
                $"/recordings/{id}/finish",
                new JsonObject { ["title"] = active.Row.Name, ["actions"] = actions },
                readOnly: true,
                FinishAllowance,
                clock,
                over.Token);
            if (!made.Succeeded)
            {
                return made.Failure;
            }

            var size = await FetchAsync(active, (long)(made.Value.NumberOf("size") ?? 0), over.Token);
            if (!size.Succeeded)
            {
                return size.Failure;
            }

            File.Delete(notes);
            var why = stopped.Value.TextOf("reason") is { } reason ? $"It ended by itself: {Short(reason)}." : null;
            var flaw = made.Value.TextOf("problem") is { } problem ? $"It has no chapters and no subtitles: {Short(problem)}." : null;
            return active.Row with
            {
                Status = RecordingRow.Finished,
                Reason = (why, flaw) is (null, null) ? null : string.Join(' ', new[] { why, flaw }.OfType<string>()),
                FinishedAt = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                DurationMs = (long?)made.Value.NumberOf("duration_ms"),
                SizeBytes = size.Value,
                Actions = (int)Math.Clamp(made.Value.NumberOf("actions") ?? 0, 0, int.MaxValue),
            };
        }
        catch (Exception broken) when (broken is OperationCanceledException or HttpRequestException or IOException or ObjectDisposedException)
        {
            return new Failure(ErrorCodes.DesktopUnreachable, "The computer ended before the recording was finished, or the host's disk is full.", "It is finished when the computer runs again.");
        }
    }

    private async Task<Outcome<long>> FetchAsync(ActiveRecording active, long size, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, DeskdLink.At($"/recordings/{active.Row.Id}/file"));
        using var patience = new CancellationTokenSource(Allowance, clock);
        var sent = await active.Session.Deskd.SendAsync(request, readOnly: true, patience.Token, cancellationToken);
        if (!sent.Succeeded)
        {
            return sent.Failure;
        }

        using var response = sent.Value;
        if (!response.IsSuccessStatusCode)
        {
            return await DeskAnswer.FailureAsync(response, readOnly: true, cancellationToken);
        }

        // The index and the subtitles come on top of what was recorded.
        var most = settings.RecordingMaxBytes + (settings.RecordingMaxBytes / 8) + (16L << 20);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(FinishAllowance);
        await using var content = await response.Content.ReadAsStreamAsync(limit.Token);
        return await files.SaveAsync(active.InstanceId, active.Row.Id, content, size, most, limit.Token);
    }

    private static async Task EndNotesAsync(ActiveRecording active)
    {
        if (active.Notes is { } notes)
        {
            active.Computer.Forget(notes);
            await notes.DisposeAsync();
        }
    }

    /// <summary>Whether nothing of it is left inside.</summary>
    private async Task<bool> DiscardAsync(MachineSession session, string id)
    {
        var gone = await session.AskAsync(HttpMethod.Delete, $"/recordings/{id}", null, readOnly: true, Allowance, clock, application.ApplicationStopping);
        return gone.Succeeded || gone.Failure.Code == ErrorCodes.NotFound;
    }

    private async Task PruneAsync(Computer computer)
    {
        var finished = (await store.OfComputerAsync(computer.Id)).Where(row => row.Status is RecordingRow.Finished or RecordingRow.Failed);
        foreach (var row in finished.Skip(settings.RecordingsKept).ToList())
        {
            await DeleteAsync(computer, row);
        }
    }

    private async Task GuardedAsync(Computer computer, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException)
        {
            // The computer or the server ends; the row says what is to be done when it is back.
        }
#pragma warning disable CA1031 // Nobody waits for this work: a bug in it is logged whole.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Unexpected(log, bug, computer.State.Record.InstanceId);
        }
    }

    /// <summary>What is inside a computer that does not run waits for that.</summary>
    private static string StatusOf(RecordingRow row, bool active) =>
        row.Status is RecordingRow.Recording or RecordingRow.Finishing && !active ? RecordingRow.Interrupted : row.Status;

    private static string Short(string said) => said.Length <= 500 ? said : said[..500] + "...";

    [LoggerMessage(1600, LogLevel.Information, "Computer {Instance}: recording {Recording} began")]
    private static partial void Begun(ILogger log, string instance, string recording);

    [LoggerMessage(1601, LogLevel.Information, "Computer {Instance}: recording {Recording} is {Status}")]
    private static partial void Ended(ILogger log, string instance, string recording, string status);

    [LoggerMessage(1602, LogLevel.Warning, "Computer {Instance}: recording {Recording} is put off: {Why}")]
    private static partial void PutOff(ILogger log, string instance, string recording, string why);

    [LoggerMessage(1603, LogLevel.Error, "Computer {Instance}: taking care of a recording failed unexpectedly")]
    private static partial void Unexpected(ILogger log, Exception bug, string instance);
}
