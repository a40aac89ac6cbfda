using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Microsoft.AspNetCore.Mvc;

namespace Carrel.Server.Files;

internal static class FileRoutes
{
    private static readonly QueryParameters OfList = new([
        ("projectId", "string", "The workspace; also workspaceId, project_id, workspace_id."),
        ("desktopId", "string", "Only files meant for or taken from this computer."),
    ]);

    private static readonly QueryParameters OfOne = new([("id", "string", "The file.")]);

    public static void AddFiles(this IServiceCollection services) => services
        .AddSingleton<FileStore>().AddSingleton<FileContents>().AddSingleton<FileKeeping>().AddSingleton<FileDelivery>().AddSingleton<StallClocks>()
        .AddSingleton<FileScope>().AddSingleton<FileEndpoints>().AddSingleton<UploadEndpoint>().AddSingleton<ExportEndpoint>().AddSingleton<FileRelay>();

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/files").WithTags("Files").NeedsKey();
        group.MapPost("/upload", (HttpContext context, UploadEndpoint on) => on.RunAsync(context))
            .WithName("uploadFile").WithSummary("Keeps a file for a workspace and puts it on the desktop of one computer, or of all.")
            .Accepts<IFormFile>("multipart/form-data", "*/*").Produces<UploadAnswer>().Fails(400, 404, 507)
            .Idempotent((context, id) => context.RequestServices.GetRequiredService<UploadEndpoint>().MadeAsync(id));
        group.MapGet("", (HttpContext context, FileEndpoints on) => on.ListAsync(context))
            .WithName("listFiles").WithSummary("The files of a workspace, the newest first.").WithMetadata(OfList).Produces<FileList>().Fails(400, 404);
        group.MapPost("/export", (HttpContext context, ExportEndpoint on) => on.RunAsync(context))
            .WithName("exportFile").WithSummary("Takes a file out of a running computer's home folder and answers with a link to it.")
            .Accepts<ExportRequest>("application/json").Produces<ExportAnswer>().Fails(400, 404, 409, 502, 503, 504, 507);
        group.MapGet("/download", (HttpContext context, FileEndpoints on) => on.DownloadAsync(context))
            .WithName("downloadFile").WithSummary("A link to a file that opens without a login for an hour.").WithMetadata(OfOne).Produces<DownloadAnswer>().Fails(400, 404);
        group.MapDelete("/delete", (HttpContext context, FileEndpoints on) => on.DeleteAsync(context))
            .WithName("deleteFile").WithSummary("Forgets a file; copies inside computers stay.").WithMetadata(OfOne).Produces<SuccessAnswer>().Fails(400, 404);
        routes.MapGet("/files/{id}", (HttpContext context, string id, [FromQuery] string? expires, [FromQuery] string? signature, FileEndpoints on) => on.ServeAsync(context, id, expires, signature))
            .WithName("getStoredFile").WithTags("Files").WithSummary("A file, by the signed link that an export or a download call answered with.")
            .Produces(200, contentType: ContentTypes.Unknown).Fails(403, 404);
        routes.MapFileRelay();
        routes.MapExportRelay();
    }
}
