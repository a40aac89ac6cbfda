using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Idempotency;
using Carrel.Server.Screenshots;
using Carrel.Server.State;
using Carrel.Server.Waking;

namespace Carrel.Server.Recordings;

/// <summary>Recordings of a computer, also while it does not run.</summary>
internal sealed class RecordingEndpoints(
    ComputerLookup lookup, MachineAccess machines, RecordingDesk desk, RecordingFiles files, SignedLinks links, PublicAddress address, IIdFactory ids, TimeProvider clock)
{
    /// <summary>How long a link opens a recording; each look at the recording gives a new one.</summary>
    private static readonly TimeSpan LinkLife = TimeSpan.FromHours(1);

    public async Task<IResult> StartAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var name = fields.Has("name") ? fields.RequiredText(200, "name") : null;
        if (name is not null && name.Any(char.IsControl))
        {
            fields.Refuse("name", "must not contain control characters");
        }

        var wish = new RecordingWish(
            ids.NewId().ToString(), name, fields.Whole(1, 60, "fps") ?? 15, fields.Flag("audio") ?? true, fields.Flag("redact") ?? false);
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var entered = await machines.EnterAsync(context, computer!);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;

        await context.WillMakeAsync(wish.Id);
        var started = await desk.StartAsync(computer!, session, wish);
        return Shown(context, computer!, started, StatusCodes.Status201Created);
    }

    /// <summary>The answer for a recording that was begun before, if it was.</summary>
    public async Task<IResult?> MadeAsync(HttpContext context, string recording) =>
        lookup.Find(context, (string)context.GetRouteValue("id")!).Computer is { } computer && await desk.LookAsync(computer.Id, recording) is var (row, status)
            ? Results.Json(Of(context, computer, row, status), ApiJson.Default.RecordingAnswer, statusCode: StatusCodes.Status201Created)
            : null;

    public async Task<IResult> ListAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        return problem ?? Results.Json(
            new RecordingList([.. (await desk.ListAsync(computer!.Id)).Select(found => Of(context, computer, found.Row, found.Status))]), ApiJson.Default.RecordingList);
    }

    public Task<IResult> GetAsync(HttpContext context, string id, string recording) =>
        WithAsync(context, id, recording, (computer, row, status) =>
            Task.FromResult(Results.Json(Of(context, computer, row, status), ApiJson.Default.RecordingAnswer)));

    public Task<IResult> StopAsync(HttpContext context, string id, string recording) =>
        WithAsync(context, id, recording, async (computer, row, _) => Shown(context, computer, await desk.StopAsync(row)));

    public Task<IResult> DeleteAsync(HttpContext context, string id, string recording) => WithAsync(context, id, recording, async (computer, row, _) =>
    {
        await desk.DeleteAsync(computer, row);
        return Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    });

    public Task<IResult> DownloadAsync(HttpContext context, string id, string recording) => WithAsync(context, id, recording, (computer, row, status) =>
    {
        if (row.Status != RecordingRow.Finished)
        {
            return Task.FromResult<IResult>(new Failure(
                ErrorCodes.RecordingUnfinished, $"Recording {row.Name} is {status}.", "Only a finished one can be downloaded.").AsProblem());
        }

        return Task.FromResult(files.Find(computer.State.Record.InstanceId, row.Id) is { } film
            ? RecordingRoutes.Film(context, film, row.Id)
            : Problem.NotFound("The file of this recording is gone."));
    });

    private async Task<IResult> WithAsync(HttpContext context, string id, string recording, Func<Computer, RecordingRow, string, Task<IResult>> handle)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        return await desk.LookAsync(computer!.Id, recording.ToLowerInvariant()) is var (row, status)
            ? await handle(computer, row, status)
            : Problem.NotFound($"No recording {recording} of computer {id}.");
    }

    private IResult Shown(HttpContext context, Computer computer, Outcome<RecordingRow> row, int status = 200) => row.Succeeded
        ? Results.Json(Of(context, computer, row.Value, row.Value.Status), ApiJson.Default.RecordingAnswer, statusCode: status)
        : row.Failure.AsProblem();

    private RecordingAnswer Of(HttpContext context, Computer computer, RecordingRow row, string status)
    {
        var expires = clock.GetUtcNow() + LinkLife;
        var there = row.Status == RecordingRow.Finished;
        return new RecordingAnswer(
            row.Id,
            computer.Id,
            row.Name,
            status,
            row.Reason,
            row.Fps,
            row.Audio,
            row.Redact,
            DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
            Time(row.StartedAt),
            Time(row.FinishedAt),
            row.DurationMs / 1000.0,
            row.SizeBytes,
            row.Actions,
            there ? links.Sign(address.BaseOf(context.Request), RecordingFiles.LinkPath(computer.State.Record.InstanceId, row.Id), expires) : null,
            there ? expires : null);
    }

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;
}
