using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;

namespace Carrel.Server.Computers;

internal static class ComputerChangeRoutes
{
    public static void MapComputerChanges(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers").WithTags("Computers").NeedsKey();
        group.MapGet("/starred", (HttpContext context, ComputerChangeEndpoints on) => on.Starred(context))
            .WithName("listStarredComputers").WithSummary("The computers that are starred.").Produces<ComputerList>();
        group.MapPatch("/{id}", (HttpContext context, string id, ComputerChangeEndpoints on) => on.ChangeAsync(context, id))
            .WithName("changeComputer").WithSummary("Renames a computer, or says when it stops and starts by itself.")
            .Accepts<ComputerChangeRequest>("application/json").Produces<ComputerAnswer>().Fails(400, 404, 409, 413);
        group.MapPatch("/{id}/move", (HttpContext context, string id, ComputerChangeEndpoints on) => on.MoveAsync(context, id))
            .Needs(ActionClass.Manage).WithName("moveComputer").WithSummary("Moves a computer to another workspace; what runs and what is open goes on.")
            .Accepts<MoveRequest>("application/json").Produces<MoveAnswer>().Fails(400, 404, 409, 413);
        group.MapPost("/{id}/star", (HttpContext context, string id, ComputerChangeEndpoints on) => on.StarAsync(context, id))
            .WithName("starComputer").WithSummary("Stars a computer, or takes the star away.")
            .Accepts<StarRequest>("application/json").Produces<StarAnswer>().Fails(400, 404, 413);
        group.MapGet("/{id}/auto-stop", (HttpContext context, string id, ComputerChangeEndpoints on) => on.AutoStop(context, id))
            .WithName("getAutoStop").WithSummary("After how long without use a computer stops.").Produces<AutoStopAnswer>().Fails(404);
        group.MapPatch("/{id}/auto-stop", (HttpContext context, string id, ComputerChangeEndpoints on) => on.SetAutoStopAsync(context, id))
            .WithName("setAutoStop").WithSummary("Sets after how long without use a computer stops.")
            .Accepts<AutoStopRequest>("application/json").Produces<AutoStopChanged>().Fails(400, 404, 413);
    }
}
