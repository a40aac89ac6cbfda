using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;

namespace Carrel.Server.Clones;

internal static class CloneRoutes
{
    public static void AddClones(this IServiceCollection services) => services.AddSingleton<Cloning>().AddSingleton<CloneEndpoint>();

    public static void MapClones(this IEndpointRouteBuilder api) =>
        api.MapPost("/computers/{id}/clone", (HttpContext context, string id, CloneEndpoint on) => on.RunAsync(context, id)).NeedsKey()
            .WithTags("Computers").WithName("cloneComputer")
            .WithSummary("Makes a computer with a copy of this one's disk, which may run on, and answers when it can be used.")
            .Accepts<CloneRequest>("application/json").Produces<ComputerAnswer>(201).Fails(400, 404, 409, 413, 500, 503, 504, 507)
            .Idempotent((context, id) => Task.FromResult(context.RequestServices.GetRequiredService<ComputerEndpoints>().Made(context, id)));
}
