using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Computers;

internal static class ComputerRoutes
{
    public static void MapComputers(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers").WithTags("Computers").NeedsKey();
        group.MapPost("", (HttpContext context, [FromQuery] string? async, ComputerEndpoints on) => on.CreateAsync(context))
            .WithName("createComputer").WithSummary("Creates a computer and answers when its desktop can be used.")
            .Accepts<CreateComputerRequest>("application/json").Produces<ComputerAnswer>(201).Produces<ComputerAnswer>(202).Fails(400, 404, 409, 413, 500, 503, 504, 507)
            .Idempotent((context, id) => Task.FromResult(context.RequestServices.GetRequiredService<ComputerEndpoints>().Made(context, id)));
        group.MapGet("/{id}", (HttpContext context, string id, ComputerEndpoints on) => on.Get(context, id))
            .WithName("getComputer").WithSummary("One computer.").Produces<ComputerAnswer>().Fails(404);
        group.MapDelete("/{id}", (HttpContext context, string id, [FromQuery] string? async, LifecycleEndpoints on) =>
                on.RunAsync(context, id, ComputerCommand.Delete))
            .Needs(ActionClass.Manage).WithName("deleteComputer").WithSummary("Deletes a computer and its disk.")
            .Produces<SuccessAnswer>().Produces<LifecycleAnswer>(202).Fails(400, 404, 409, 500);
        group.MapGet("/{id}/vnc-password", (HttpContext context, string id, ComputerEndpoints on) => on.VncPassword(context, id))
            .Needs(ActionClass.Use).WithName("getVncPassword").WithSummary("The secrets of a running computer.").Produces<VncPasswordAnswer>().Fails(404, 409);
        group.MapGet(
                "/{id}/operations/{operation}",
                (HttpContext context, string id, string operation, OperationViews on) => on.GetAsync(context, id, operation))
            .WithName("getComputerOperation").WithSummary("How what was asked for with async=true goes.").Produces<OperationAnswer>().Fails(404);
        group.MapGet("/{id}/operations", (HttpContext context, string id, OperationViews on) => on.ListAsync(context, id))
            .WithName("listOperations").WithSummary("What was done with a computer in the last week, the newest first.").Produces<OperationList>().Fails(404);
        api.MapGet("/operations/{operation}", (HttpContext context, string operation, OperationViews on) => on.GetAsync(context, null, operation))
            .NeedsKey().WithTags("Computers").WithName("getOperation").WithSummary("How what was asked for with async=true goes.")
            .Produces<OperationAnswer>().Fails(404);
        group.MapPost("/{id}/ensure-running", (HttpContext context, string id, LifecycleEndpoints on) => on.EnsureRunningAsync(context, id))
            .WithName("ensureRunning").WithSummary("Starts a computer unless it runs, and answers when it does.")
            .Produces<ComputerAnswer>().Fails(404, 409, 500, 503, 504, 507);
        MapCommand(group, "start", ComputerCommand.Start, "Starts a stopped computer from its disk, and resumes a suspended one.");
        MapCommand(group, "suspend", ComputerCommand.Suspend, "Holds a running computer still, with its memory and processes.");
        MapCommand(group, "resume", ComputerCommand.Resume, "Has a suspended computer go on where it was.");
        MapCommand(group, "stop", ComputerCommand.Stop, "Stops a computer; its disk stays.");
        MapCommand(group, "restart", ComputerCommand.Restart, "Stops and starts a computer; its secrets change.");
    }

    private static void MapCommand(RouteGroupBuilder group, string name, ComputerCommand command, string summary) =>
        group.MapPost("/{id}/" + name, (HttpContext context, string id, [FromQuery] string? async, LifecycleEndpoints on) =>
                on.RunAsync(context, id, command))
            .WithName(name + "Computer").WithSummary(summary)
            .Produces<LifecycleAnswer>().Produces<LifecycleAnswer>(202).Fails(400, 404, 409, 500, 503, 504, 507);
}
