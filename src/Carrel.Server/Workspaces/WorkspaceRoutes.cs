using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;

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
                .Accepts<CreateWorkspaceRequest>("application/json").Produces<WorkspaceAnswer>(201).Fails(400, 413);
            group.MapGet("", (HttpContext context, WorkspaceEndpoints on) => on.ListAsync(context))
                .WithName($"list{noun}s").WithSummary("All workspaces with their computers.").Produces<WorkspaceList>();
            group.MapGet("/by-name/{name}", (HttpContext context, string name, WorkspaceEndpoints on) => on.GetByNameAsync(context, name))
                .WithName($"get{noun}ByName").WithSummary("One workspace, by its name.").Produces<WorkspaceAnswer>().Fails(404);
            group.MapGet("/{id}", (HttpContext context, string id, WorkspaceEndpoints on) => on.GetAsync(context, id))
                .WithName("get" + noun).WithSummary("One workspace with its computers.").Produces<WorkspaceAnswer>().Fails(404);
            group.MapDelete("/{id}", (HttpContext context, string id, WorkspaceEndpoints on) => on.DeleteAsync(context, id))
                .Needs(ActionClass.Own).WithName("delete" + noun).WithSummary("Deletes a workspace and all its computers.").Produces<SuccessAnswer>().Fails(404, 500);
            group.MapPost("/{id}/delete", (HttpContext context, string id, WorkspaceEndpoints on) => on.DeleteAsync(context, id))
                .Needs(ActionClass.Own).WithName($"delete{noun}ByPost").WithSummary("Deletes a workspace and all its computers.").Produces<SuccessAnswer>().Fails(404, 500);
        }
    }
}
