using Carrel.Contracts;
using Carrel.Server.Errors;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Screenshots;

/// <summary>Serves stored pictures to whoever holds a link.</summary>
internal static class ScreenshotFiles
{
    public static void MapScreenshotFiles(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/screenshots/{instance}/{date}/{file}", Serve)
            .WithName("getStoredScreenshot")
            .WithTags("Screenshots")
            .WithSummary("A stored screenshot, by the signed link an action or a screenshot call answered with.")
            .Produces(200, contentType: "image/png", additionalContentTypes: ["image/jpeg", "image/webp"])
            .Fails(403, 404);

    private static IResult Serve(
        HttpContext context,
        string instance,
        string date,
        string file,
        [FromQuery] string? expires,
        [FromQuery] string? signature,
        ScreenshotStore store,
        SignedLinks links)
    {
        if (links.Check(context.Request.Path.Value!, expires ?? "", signature ?? "") is not { } left)
        {
            return new Failure(ErrorCodes.AccessDenied, "Access denied: this link has expired or was altered.", "Take the screenshot again.").AsProblem();
        }

        if (store.Find(instance, date, file) is not { } picture)
        {
            return Problem.NotFound("This screenshot is no longer kept.");
        }

        context.Response.Headers.CacheControl = $"private, immutable, max-age={(long)left.TotalSeconds}";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        var format = PictureFormat.OfExtension(picture.Extension[1..])!;
        return Results.File(picture.FullName, format.MediaType, lastModified: picture.LastWriteTimeUtc, enableRangeProcessing: true);
    }
}
