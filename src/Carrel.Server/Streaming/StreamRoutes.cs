using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;

namespace Carrel.Server.Streaming;

internal static class StreamRoutes
{
    public static void MapStreams(this IEndpointRouteBuilder api)
    {
        var connections = api.MapGroup("/stream/connections").WithTags("Streaming").NeedsKey();
        connections.MapGet("", (HttpContext context, StreamConnectionEndpoints on) => on.ListAsync(context))
            .WithName("listStreamConnections").WithSummary("All RTMP targets of the account.").Produces<StreamConnectionList>();
        connections.MapPost("", (HttpContext context, StreamConnectionEndpoints on) => on.CreateAsync(context))
            .WithName("createStreamConnection").WithSummary("Adds an RTMP target; its key is kept encrypted and never answered.")
            .Accepts<StreamConnectionRequest>("application/json").Produces<StreamConnectionAnswer>(201).Fails(400, 409, 413)
            .Idempotent((context, id) => context.RequestServices.GetRequiredService<StreamConnectionEndpoints>().MadeAsync(context, id));
        connections.MapGet("/{id}", (HttpContext context, string id, StreamConnectionEndpoints on) => on.GetAsync(context, id))
            .WithName("getStreamConnection").WithSummary("One RTMP target.").Produces<StreamConnectionAnswer>().Fails(404);
        foreach (var (method, name) in new[] { ("PATCH", "changeStreamConnection"), ("PUT", "replaceStreamConnection") })
        {
            connections.MapMethods("/{id}", [method], (HttpContext context, string id, StreamConnectionEndpoints on) => on.ChangeAsync(context, id))
                .WithName(name).WithSummary("Changes an RTMP target; fields that are absent stay, an empty stream_key takes the key away.")
                .Accepts<StreamConnectionRequest>("application/json").Produces<StreamConnectionAnswer>().Fails(400, 404, 409, 413);
        }

        connections.MapDelete("/{id}", (HttpContext context, string id, StreamConnectionEndpoints on) => on.DeleteAsync(context, id))
            .WithName("deleteStreamConnection").WithSummary("Removes an RTMP target; a stream that goes there goes on.").Produces<SuccessAnswer>().Fails(404);

        var stream = api.MapGroup("/computers/{id}/stream").WithTags("Streaming").NeedsKey();
        stream.MapPost("/start", (HttpContext context, string id, StreamEndpoints on) => on.StartAsync(context, id))
            .WithName("startStream").WithSummary("Streams the screen and its sound to an RTMP target; answers when pictures flow.")
            .Accepts<StreamStartRequest>("application/json").Produces<StreamStatusAnswer>().Fails(400, 404, 409, 413, 422, 424, 503);
        stream.MapGet("/status", (HttpContext context, string id, StreamEndpoints on) => on.StatusAsync(context, id))
            .WithName("getStreamStatus").WithSummary("How the stream stands.").Produces<StreamStatusAnswer>().Fails(404, 502, 503, 504);
        stream.MapPost("/stop", (HttpContext context, string id, StreamEndpoints on) => on.StopAsync(context, id))
            .WithName("stopStream").WithSummary("Ends the stream, if there is one.").Produces<SuccessAnswer>().Fails(404, 502, 503, 504);
    }
}
