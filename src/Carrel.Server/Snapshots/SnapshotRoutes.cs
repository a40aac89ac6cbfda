using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;

namespace Carrel.Server.Snapshots;

internal static class SnapshotRoutes
{
    public static void AddSnapshots(this IServiceCollection services) =>
        services.AddSingleton<SnapshotStore>().AddSingleton<SnapshotKeeping>().AddSingleton<SnapshotDesk>().AddSingleton<SnapshotEndpoints>();

    public static void MapSnapshots(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers/{id}/snapshots").WithTags("Snapshots").NeedsKey();
        group.MapPost("", (HttpContext context, string id, SnapshotEndpoints on) => on.TakeAsync(context, id))
            .WithName("takeSnapshot").WithSummary("Keeps the computer's disk as it is now; a running computer goes on.")
            .Accepts<SnapshotRequest>("application/json").Produces<SnapshotAnswer>(201).Fails(400, 404, 409, 413, 500, 507)
            .Idempotent();
        group.MapGet("", (HttpContext context, string id, SnapshotEndpoints on) => on.ListAsync(context, id))
            .WithName("listSnapshots").WithSummary("All snapshots of a computer, the newest first.").Produces<SnapshotList>().Fails(404);
        group.MapGet("/{snapshot}", (HttpContext context, string id, string snapshot, SnapshotEndpoints on) => on.GetAsync(context, id, snapshot))
            .WithName("getSnapshot").WithSummary("One snapshot.").Produces<SnapshotAnswer>().Fails(404);
        group.MapPost("/{snapshot}/restore", (HttpContext context, string id, string snapshot, SnapshotEndpoints on) => on.RestoreAsync(context, id, snapshot))
            .Needs(ActionClass.Manage).WithName("restoreSnapshot").WithSummary("Puts the snapshot in the place of the computer's disk; a running computer is restarted.")
            .Produces<ComputerAnswer>().Fails(404, 409, 500, 503, 504, 507);
        group.MapDelete("/{snapshot}", (HttpContext context, string id, string snapshot, SnapshotEndpoints on) => on.DeleteAsync(context, id, snapshot))
            .Needs(ActionClass.Manage).WithName("deleteSnapshot").WithSummary("Deletes a snapshot.").Produces<SuccessAnswer>().Fails(404, 500);
    }
}
