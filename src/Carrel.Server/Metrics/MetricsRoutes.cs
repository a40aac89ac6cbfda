using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Metrics;

internal static class MetricsRoutes
{
    public static void AddUsage(this IServiceCollection services)
    {
        services.AddSingleton<UsageSampler>().AddSingleton<IComputerUsage>(provider => provider.GetRequiredService<UsageSampler>());
        services.AddHostedService(provider => provider.GetRequiredService<UsageSampler>());
        services.AddSingleton<MetricsEndpoint>();
    }

    public static void MapMetrics(this IEndpointRouteBuilder api) =>
        api.MapGet(
                "/computers/{id}/metrics",
                (HttpContext context, string id, [FromQuery] string? from, [FromQuery] string? to, [FromQuery] string? step, MetricsEndpoint on) => on.GetAsync(context, id))
            .WithTags("Computers").NeedsKey()
            .WithName("getMetrics").WithSummary("What a computer uses and used: CPU, memory, disk, network.")
            .Produces<MetricsAnswer>().Fails(400, 404);
}
