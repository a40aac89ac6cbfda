using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Workspaces;

internal static class WorkspaceRoutes
{
    public static void MapWorkspaces(this IEndpointRouteBuilder api)
    {
        foreach (var (prefix, noun) in new[] { ("/workspaces", "Workspace"), ("/projects", "Project") })
        {
            var group = api.MapGroup(prefix).WithTags("Workspaces").NeedsKey();
            group.MapPost("", (HttpContext context, WorkspaceEndpoints on) => on.CreateAsync(context))
                .Needs(ActionClass.Account).WithName("create" + noun).WithSummary("Creates a workspace.")
                .Accepts<CreateWorkspaceRequest>("application/json").Produces<WorkspaceAnswer>(201).Fails(400, 413)
                .Idempotent((context, id) => context.RequestServices.GetRequiredService<WorkspaceEndpoints>().MadeAsync(context, id));
            group.MapGet("", (HttpContext context, WorkspaceEndpoints on) => on.ListAsync(context))
                .WithName($"list{noun}s").WithSummary("All workspaces with their computers.").Produces<WorkspaceList>();
            group.MapGet("/by-name/{name}", (HttpContext context, WorkspaceEndpoints on) => on.GetByNameAsync(context))
                .WithName($"get{noun}ByName").WithSummary("One workspace, by its name.").Produces<WorkspaceAnswer>().Fails(404);
            group.MapGet("/{id}", (HttpContext context, string id, WorkspaceEndpoints on) => on.GetAsync(context, id))
                .WithName("get" + noun).WithSummary("One workspace with its computers.").Produces<WorkspaceAnswer>().Fails(404);
            group.MapGet("/{id}/computers/by-name/{name}", (HttpContext context, string id, WorkspaceEndpoints on) => on.GetComputerByNameAsync(context, id))
                .WithName($"get{noun}ComputerByName").WithSummary("One computer of a workspace, by its name.").Produces<ComputerAnswer>().Fails(404);
            group.MapPatch("/{id}", (HttpContext context, string id, WorkspaceEndpoints on) => on.ChangeAsync(context, id))
                .Needs(ActionClass.Manage).WithName("change" + noun).WithSummary("Renames a workspace, or changes its icon or status.")
                .Accepts<WorkspaceChangeRequest>("application/json").Produces<WorkspaceAnswer>().Fails(400, 404, 413);
            MapOrder(group, "start", noun, ComputerCommand.EnsureRunning, "Starts all computers of a workspace that do not run.");
            MapOrder(group, "stop", noun, ComputerCommand.Stop, "Stops all computers of a workspace.");
            MapOrder(group, "restart", noun, ComputerCommand.Restart, "Restarts all computers of a workspace that run.");
            group.MapDelete("/{id}", (HttpContext context, string id, WorkspaceEndpoints on) => on.DeleteAsync(context, id))
                .Needs(ActionClass.Own).WithName("delete" + noun).WithSummary("Deletes a workspace and all its computers.").Produces<SuccessAnswer>().Fails(404, 500);
            group.MapPost("/{id}/delete", (HttpContext context, string id, WorkspaceEndpoints on) => on.DeleteAsync(context, id))
                .Needs(ActionClass.Own).WithName($"delete{noun}ByPost").WithSummary("Deletes a workspace and all its computers.").Produces<SuccessAnswer>().Fails(404, 500);
        }
    }

    private static void MapOrder(RouteGroupBuilder group, string name, string noun, ComputerCommand command, string summary) =>
        group.MapPost("/{id}/" + name, (HttpContext context, string id, [FromQuery] string? async, WorkspaceEndpoints on) => on.OrderAsync(context, id, command))
            .WithName(name + noun).WithSummary(summary)
            .Produces<WorkspaceOrderAnswer>().Produces<WorkspaceOrderAnswer>(202).Produces<WorkspaceOrderAnswer>(207).Fails(400, 404);
}
