using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Carrel.Server.Screenshots;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Carrel.Server.Recordings;

internal static class RecordingRoutes
{
    private const string MediaType = "video/mp4";

    public static void MapRecordings(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/computers/{id}/recordings").WithTags("Recordings").NeedsKey();
        group.MapPost("", (HttpContext context, string id, RecordingEndpoints on) => on.StartAsync(context, id))
            .WithName("startRecording").WithSummary("Records the screen and its sound; the actions meanwhile become chapters and subtitles.")
            .Accepts<RecordingRequest>("application/json").Produces<RecordingAnswer>(201).Fails(400, 404, 409, 413, 422, 424, 503)
            .Idempotent((context, recording) => context.RequestServices.GetRequiredService<RecordingEndpoints>().MadeAsync(context, recording));
        group.MapGet("", (HttpContext context, string id, RecordingEndpoints on) => on.ListAsync(context, id))
            .WithName("listRecordings").WithSummary("All recordings of a computer, the newest first.").Produces<RecordingList>().Fails(404);
        group.MapGet("/{recording}", (HttpContext context, string id, string recording, RecordingEndpoints on) => on.GetAsync(context, id, recording))
            .WithName("getRecording").WithSummary("One recording.").Produces<RecordingAnswer>().Fails(404);
        group.MapPost("/{recording}/stop", (HttpContext context, string id, string recording, RecordingEndpoints on) => on.StopAsync(context, id, recording))
            .WithName("stopRecording").WithSummary("Ends a recording and answers when its film can be downloaded.")
            .Produces<RecordingAnswer>().Fails(404, 422, 502, 503, 504);
        group.MapGet("/{recording}/download", (HttpContext context, string id, string recording, RecordingEndpoints on) => on.DownloadAsync(context, id, recording))
            .WithName("downloadRecording").WithSummary("The film as MP4, whole or a range of it.").Produces(200, contentType: MediaType).Fails(404, 409);
        group.MapDelete("/{recording}", (HttpContext context, string id, string recording, RecordingEndpoints on) => on.DeleteAsync(context, id, recording))
            .WithName("deleteRecording").WithSummary("Deletes a recording, also one under way.").Produces<SuccessAnswer>().Fails(404);
    }

    public static void MapRecordingFiles(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/recordings/{instance}/{file}", Serve)
            .WithName("getStoredRecording").WithTags("Recordings").WithSummary("A finished recording, by the signed link its answer carries.")
            .Produces(200, contentType: MediaType).Fails(403, 404);

    public static IResult Film(HttpContext context, FileInfo film, string id)
    {
        context.Response.Headers.CacheControl = "private";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return Results.File(
            film.FullName, MediaType, $"recording-{id}.mp4", film.LastWriteTimeUtc, new EntityTagHeaderValue($"\"{id}\""), enableRangeProcessing: true);
    }

    private static IResult Serve(
        HttpContext context, string instance, string file, [FromQuery] string? expires, [FromQuery] string? signature, RecordingFiles files, SignedLinks links)
    {
        if (links.Check(context.Request.Path.Value!, expires ?? "", signature ?? "") is null)
        {
            return new Failure(ErrorCodes.AccessDenied, "Access denied: this link has expired or was altered.", "Ask for the recording again.").AsProblem();
        }

        var id = Path.GetFileNameWithoutExtension(file);
        return files.Find(instance, id) is { } film ? Film(context, film, id) : Problem.NotFound("This recording is no longer kept.");
    }
}
