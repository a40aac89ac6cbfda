using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Clones;
using Carrel.Server.Computers;
using Carrel.Server.Errors;

namespace Carrel.Server.Snapshots;

/// <summary>Snapshots of one computer.</summary>
internal sealed class SnapshotEndpoints(ComputerLookup lookup, ComputerViews views, Lifecycle lifecycle, SnapshotStore store, SnapshotDesk desk)
{
    private const int MostName = 200, MostDescription = 2000;

    public async Task<IResult> TakeAsync(HttpContext context, string id)
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

        var (name, description) = (read.Value.Text(MostName, "name"), read.Value.Text(MostDescription, "description"));
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var taken = await desk.TakeAsync(computer!, string.IsNullOrWhiteSpace(name) ? null : name, description);
        if (!taken.Succeeded)
        {
            return taken.Failure.AsProblem();
        }

        context.Response.Headers["Server-Timing"] = CloneEndpoint.FrozenFor(taken.Value.Frozen);
        return Results.Json(View(taken.Value.Row), ApiJson.Default.SnapshotAnswer, statusCode: StatusCodes.Status201Created);
    }

    public async Task<IResult> ListAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        return problem ?? Results.Json(
            new SnapshotList([.. (await store.OfComputerAsync(computer!.Id)).Select(View)]), ApiJson.Default.SnapshotList);
    }

    public async Task<IResult> GetAsync(HttpContext context, string id, string snapshot)
    {
        var (_, row, problem) = await FindAsync(context, id, snapshot);
        return problem ?? Results.Json(View(row!), ApiJson.Default.SnapshotAnswer);
    }

    public async Task<IResult> DeleteAsync(HttpContext context, string id, string snapshot)
    {
        var (computer, row, problem) = await FindAsync(context, id, snapshot);
        if (problem is not null)
        {
            return problem;
        }

        var deleted = await desk.DeleteAsync(computer!, row!);
        return deleted.Succeeded ? Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer) : deleted.Failure.AsProblem();
    }

    public async Task<IResult> RestoreAsync(HttpContext context, string id, string snapshot)
    {
        var (computer, row, problem) = await FindAsync(context, id, snapshot);
        if (problem is not null)
        {
            return problem;
        }

        var begun = await lifecycle.BeginAsync(computer!, ComputerCommand.Restore, row!.Id);
        if (!begun.Succeeded)
        {
            return begun.Failure.AsProblem();
        }

        var done = await begun.Value!.Done;
        return done.Succeeded ? Results.Json(views.Of(computer!, context), ApiJson.Default.ComputerAnswer) : done.Failure.AsProblem();
    }

    /// <summary>A snapshot that the caller may make a computer from, with the computer it is of.</summary>
    public async Task<(Computer? Owner, SnapshotRow? Row, Problem? Problem)> FindForAsync(HttpContext context, string snapshot)
    {
        var row = await store.FindAsync(snapshot);
        var (owner, _) = row is null ? (null, null) : lookup.Find(context, row.ComputerId);
        return owner is null ? (null, null, Problem.NotFound($"No snapshot {snapshot}.")) : (owner, row, null);
    }

    private async Task<(Computer? Computer, SnapshotRow? Row, Problem? Problem)> FindAsync(HttpContext context, string id, string snapshot)
    {
        var (computer, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return (null, null, problem);
        }

        return await store.FindAsync(snapshot) is { } row && row.ComputerId == computer!.Id
            ? (computer, row, null)
            : (null, null, Problem.NotFound($"No snapshot {snapshot} of computer {id}."));
    }

    private static SnapshotAnswer View(SnapshotRow row) => new(
        row.Id,
        row.ComputerId,
        row.Name,
        row.Description,
        row.SizeBytes,
        row.DiskGb,
        row.Cpu,
        row.RamGb,
        row.Hardware.Screen.ToString(),
        row.Image,
        row.ImageDigest,
        DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt));
}
