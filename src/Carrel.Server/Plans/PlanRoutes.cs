using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Plans;

internal static class PlanRoutes
{
    public static void AddPlans(this IServiceCollection services) => services
        .AddSingleton<PlanBook>().AddSingleton<ClientBook>().AddSingleton<PlanGuard>().AddSingleton<PlanEndpoints>().AddSingleton<ClientEndpoints>();

    public static void MapPlans(this IEndpointRouteBuilder api)
    {
        var plans = api.MapGroup("/plans").WithTags("Plans").NeedsKey();
        plans.MapGet("", (PlanEndpoints on) => on.List()).WithName("listPlans").WithSummary("All plans; null is unlimited.").Produces<PlanList>();
        plans.MapPut("/{name}", (HttpContext context, string name, PlanEndpoints on) => on.SetAsync(context, name))
            .Needs(ActionClass.Operate).WithName("setPlan").WithSummary("Makes a plan, or changes it for all who have it.")
            .Accepts<PlanRequest>("application/json").Produces<PlanAnswer>().Produces<PlanAnswer>(201).Fails(400, 413);
        plans.MapDelete("/{name}", (HttpContext context, string name, PlanEndpoints on) => on.DeleteAsync(context, name))
            .Needs(ActionClass.Operate).WithName("deletePlan").WithSummary("Deletes a plan that nobody has.").Produces<SuccessAnswer>().Fails(400, 404);

        var own = api.MapGroup("").WithTags("Plans").NeedsKey();
        own.MapGet("/user/subscription", (HttpContext context, PlanEndpoints on) => on.Subscription(context))
            .WithName("getSubscription").WithSummary("The caller's plan.").Produces<SubscriptionAnswer>();
        own.MapGet("/billing/compute-limits", (HttpContext context, [FromQuery(Name = "workspace_id")] string? workspace, PlanEndpoints on) => on.LimitsAsync(context, workspace))
            .WithName("getComputeLimits").WithSummary("What the caller, or the owner of a workspace, may have and has.").Produces<ComputeLimitsAnswer>().Fails(404);
        own.MapGet("/account/capacity", (HttpContext context, PlanEndpoints on) => on.Capacity(context))
            .Needs(ActionClass.Account).WithName("getCapacity").WithSummary("How many computers the caller may yet make.").Produces<CapacityAnswer>();
        own.MapGet("/v1/accounts", (HttpContext context, ClientEndpoints on) => on.List(context))
            .Needs(ActionClass.Account).WithName("listClients").WithSummary("Workspaces made for customers.").Produces<ClientList>();
        own.MapPost("/v1/accounts", (HttpContext context, ClientEndpoints on) => on.CreateAsync(context))
            .Needs(ActionClass.Account).WithName("createClient").WithSummary("Makes a workspace for a customer, with a key limited to it.")
            .Accepts<ClientRequest>("application/json").Produces<ClientAnswer>(201).Fails(400, 409, 413);
    }
}
