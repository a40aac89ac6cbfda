using System.Globalization;
using Carrel.Contracts.Events;
using Carrel.Deskd.Identity;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Http;

/// <summary>What deskd says of itself: health, catalogue, status, schema.</summary>
internal sealed class StatusEndpoints(DisplayLink link, MachineIdentity identity, RouteTable routes, TimeProvider time)
{
    private const string ServiceName = "orgo-desktop-api";
    private static readonly string Version = typeof(StatusEndpoints).Assembly.GetName().Version?.ToString(3) ?? "0";
    private readonly long _started = time.GetTimestamp();

    public IEnumerable<Route> Routes =>
    [
        new Route("GET", "/health", "Whether the computer can be used.", HealthAsync, Access.Public, BeforeIdentity: true),
        new Route("GET", "/", "What there is.", CatalogueAsync),
        new Route("GET", "/status", "How the computer is doing.", StatusAsync),
        new Route("GET", "/schema", "This API as OpenAPI 3.0.1.", SchemaAsync, Access.Public, BeforeIdentity: true),
    ];

    private bool IsHealthy => identity.IsTaken && link.Current is not null;

    private Task<Reply> HealthAsync(Exchange exchange) => Task.FromResult(IsHealthy
        ? Reply.Json(200, json =>
        {
            json.WriteString("status"u8, "healthy"u8);
            json.WriteString("service"u8, ServiceName);
            json.WriteString("version"u8, Version);
        })
        : Reply.Json(503, json => json.WriteString("status"u8, "starting"u8)));

    private Task<Reply> CatalogueAsync(Exchange exchange) => Task.FromResult(Reply.Json(200, json =>
    {
        json.WriteString("service"u8, ServiceName);
        json.WriteString("version"u8, Version);
        json.WriteStartArray("endpoints"u8);
        foreach (var route in routes.All.Where(r => r.Access != Access.Host))
        {
            json.WriteStartObject();
            json.WriteString("method"u8, route.Method);
            json.WriteString("path"u8, route.Path);
            json.WriteString("summary"u8, route.Summary);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("event_types"u8);
        foreach (var kind in EventCatalogue.All)
        {
            json.WriteStringValue(kind.Name);
        }

        json.WriteEndArray();
    }));

    private Task<Reply> StatusAsync(Exchange exchange) => Task.FromResult(Reply.Json(200, json =>
    {
        json.WriteString("status"u8, IsHealthy ? "healthy"u8 : "degraded"u8);
        json.WriteString("service"u8, ServiceName);
        json.WriteString("version"u8, Version);
        json.WriteNumber("uptime_seconds"u8, Math.Round(time.GetElapsedTime(_started).TotalSeconds, 1));
        json.WriteStartObject("display"u8);
        json.WriteBoolean("connected"u8, link.Current is not null);
        if (link.Current?.Size is { } size)
        {
            json.WriteNumber("width"u8, size.Width);
            json.WriteNumber("height"u8, size.Height);
        }

        json.WriteEndObject();
        json.WriteStartArray("load_average"u8);
        foreach (var load in File.ReadAllText("/proc/loadavg").Split(' ').Take(3))
        {
            json.WriteNumberValue(double.Parse(load, CultureInfo.InvariantCulture));
        }

        json.WriteEndArray();
    }));

    private Task<Reply> SchemaAsync(Exchange exchange) =>
        Task.FromResult(new Reply(200, "application/json", OpenApiDocument.Write(routes.All, ServiceName, Version)));
}
