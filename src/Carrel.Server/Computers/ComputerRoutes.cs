using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;

namespace Carrel.Server.Computers;

internal static class ComputerRoutes
{
    public static void MapComputers(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers").WithTags("Computers").NeedsKey();
        group.MapPost("", (HttpContext context, ComputerEndpoints on) => on.CreateAsync(context))
            .WithName("createComputer").WithSummary("Creates a computer and answers when its desktop can be used.")
            .Accepts<CreateComputerRequest>("application/json").Produces<ComputerAnswer>(201).Fails(400, 404, 409, 413, 500, 503, 504, 507);
        group.MapGet("/{id}", (HttpContext context, string id, ComputerEndpoints on) => on.Get(context, id))
            .WithName("getComputer").WithSummary("One computer.").Produces<ComputerAnswer>().Fails(404);
        group.MapDelete("/{id}", (HttpContext context, string id, ComputerEndpoints on) => on.DeleteAsync(context, id))
            .Needs(ActionClass.Manage).WithName("deleteComputer").WithSummary("Deletes a computer and its disk.").Produces<SuccessAnswer>().Fails(404, 409, 500);
        group.MapGet("/{id}/vnc-password", (HttpContext context, string id, ComputerEndpoints on) => on.VncPassword(context, id))
            .Needs(ActionClass.Use).WithName("getVncPassword").WithSummary("The secrets of a running computer.").Produces<VncPasswordAnswer>().Fails(404, 409);
        group.MapGet(
                "/{id}/operations/{operation}",
                (HttpContext context, string id, string operation, ComputerEndpoints on) => on.OperationAsync(context, id, operation))
            .WithName("getOperation").WithSummary("How a start, stop or restart with async=true goes.").Produces<OperationAnswer>().Fails(404);
        group.MapPost("/{id}/ensure-running", (HttpContext context, string id, LifecycleEndpoints on) => on.EnsureRunningAsync(context, id))
            .WithName("ensureRunning").WithSummary("Starts a computer unless it runs, and answers when it does.")
            .Produces<ComputerAnswer>().Fails(404, 409, 500, 503, 504, 507);
        MapCommand(group, "start", ComputerCommand.Start, "Starts a stopped computer from its disk.");
        MapCommand(group, "stop", ComputerCommand.Stop, "Stops a computer; its disk stays.");
        MapCommand(group, "restart", ComputerCommand.Restart, "Stops and starts a computer; its secrets change.");
    }

    private static void MapCommand(RouteGroupBuilder group, string name, ComputerCommand command, string summary) =>
        group.MapPost("/{id}/" + name, (HttpContext context, string id, [Microsoft.AspNetCore.Mvc.FromQuery] string? async, LifecycleEndpoints on) =>
                on.RunAsync(context, id, command))
            .WithName(name + "Computer").WithSummary(summary)
            .Produces<LifecycleAnswer>().Produces<LifecycleAnswer>(202).Fails(400, 404, 409, 500, 503, 504, 507);
}
