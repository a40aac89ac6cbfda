using Carrel.Contracts.Api;
using Carrel.Contracts.Events;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;

namespace Carrel.Server.Events;

/// <summary>The catalogue of events (reference section 4.14). The events themselves come over the socket.</summary>
internal static class EventRoutes
{
    private static readonly EventCatalogueAnswer Catalogue = new([.. EventCatalogue.All.Select(kind =>
        new EventTypeAnswer(kind.Name, kind.Meaning, kind.Data.ToDictionary(field => field.Name, field => field.Meaning)))]);

    public static void MapEvents(this IEndpointRouteBuilder api) =>
        api.MapGet("/computers/{id}/events", (HttpContext context, string id, ComputerLookup lookup) =>
                lookup.Find(context, id).Problem ?? Results.Json(Catalogue, ApiJson.Default.EventCatalogueAnswer))
            .NeedsKey().WithTags("Computers").WithName("listEventTypes").WithSummary("The events that a computer's socket can tell.")
            .Produces<EventCatalogueAnswer>().Fails(404);
}
