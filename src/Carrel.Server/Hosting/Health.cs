using System.Reflection;
using Carrel.Contracts.Api;
using Carrel.Machines;
using Carrel.Server.Computers;

namespace Carrel.Server.Hosting;

internal static class Health
{
    public static string Version { get; } =
        typeof(Health).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", (Readiness readiness, ComputerRegistry registry, IMachineHost host) => Results.Json(
                new ServerHealth(
                    readiness.IsReady ? "ok" : "starting",
                    Version,
                    host.Capabilities.Isolation,
                    registry.All.Count,
                    registry.All.Count(computer => computer.State.Usable is not null)),
                ApiJson.Default.ServerHealth,
                statusCode: readiness.IsReady ? 200 : 503))
            .WithName("health").WithTags("Server").WithSummary("200 once the server is ready.")
            .Produces<ServerHealth>().Produces<ServerHealth>(503);
        routes.MapGet("/readyz", (ReadyCheck check) => check.RunAsync())
            .WithName("ready").WithTags("Server").WithSummary("200 while computers can be made and changed; tries the database and looks at the disk.")
            .Produces<ServerReadiness>().Produces<ServerReadiness>(503);
    }
}
