using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;

namespace Carrel.Server.Sizes;

internal static class SizeRoutes
{
    public static void MapSizes(this IEndpointRouteBuilder api) =>
        api.MapPatch("/computers/{id}/resize", (HttpContext context, string id, ResizeEndpoint on) => on.RunAsync(context, id))
            .WithTags("Computers").NeedsKey()
            .Needs(ActionClass.Manage).WithName("resizeComputer").WithSummary("Changes the size of a running computer, each dimension for itself.")
            .Accepts<ResizeRequest>("application/json")
            .Produces<ResizeAnswer>().Produces<ResizeAnswer>(207).Produces<ResizeAnswer>(422).Fails(400, 404, 409, 413);
}
