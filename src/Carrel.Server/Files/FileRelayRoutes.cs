using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Computers;
using Carrel.Server.Errors;

namespace Carrel.Server.Files;

/// <summary>A computer's files under its id, through the proxy, and by its token alone.</summary>
internal static class FileRelayRoutes
{
    private static readonly (string Method, string Summary)[] Verbs =
    [
        ("GET", "A file's contents (ranges are served), or what is in a folder; with archive=tar a folder as an archive."),
        ("HEAD", "A file's size, time and tag."),
        ("PUT", "Writes a file in one step; with archive=tar unpacks the body into a folder."),
        ("POST", "Makes a folder (action mkdir), or moves a file or folder (action move)."),
        ("DELETE", "Deletes a file or folder."),
    ];

    private static readonly QueryParameters Parameters = new([
        ("list", "boolean", "GET: refuse what is no folder."),
        ("stat", "boolean", "GET: what there is at the path, of a link the link itself."),
        ("archive", "string", "tar: GET packs a folder, PUT unpacks into one."),
        ("mode", "string", "PUT: permissions, octal."),
        ("parents", "boolean", "PUT: make the folders above that are missing."),
        ("keep", "boolean", "PUT: refuse to replace what is there."),
        ("recursive", "boolean", "DELETE: a folder with all that is in it."),
    ]);

    public static void MapFileRelay(this IEndpointRouteBuilder routes)
    {
        foreach (var (method, summary) in Verbs)
        {
            Describe(
                routes.MapMethods("/api/computers/{id}/fs/{**path}", [method], (HttpContext context, string id, ComputerLookup lookup, FileRelay relay) =>
                {
                    var (computer, problem) = lookup.Find(context, id);
                    return problem is null ? relay.RunAsync(context, computer!, 4) : Task.FromResult<IResult>(problem);
                }).NeedsKey(),
                "", method, summary);
            Describe(
                routes.MapMethods("/api/desktops/{id}/proxy/fs/{**path}", [method], (
                    HttpContext context, string id, ComputerRegistry registry, ComputerLookup lookup, Authentication authentication, FileRelay relay) =>
                {
                    var (computer, problem) = ProxyRoutes.Find(context, id, registry, lookup, authentication);
                    return problem is null ? relay.RunAsync(context, computer!, 5) : Task.FromResult<IResult>(problem);
                }).WithMetadata(QueryParameters.OfSockets),
                "proxy_", method, summary);
            Describe(
                routes.MapMethods("/fs/{**path}", [method], (HttpContext context, ComputerRegistry registry, FileRelay relay) =>
                {
                    var (computer, problem) = ProxyRoutes.FindBySecret(context, registry);
                    return problem is null ? relay.RunAsync(context, computer!, 1) : Task.FromResult<IResult>(problem);
                }).WithMetadata(QueryParameters.OfSockets),
                "desktop_", method, summary);
        }
    }

    /// <summary>The in-computer API's own export, whose answer is the file.</summary>
    public static void MapExportRelay(this IEndpointRouteBuilder routes)
    {
        Describe(
            routes.MapPost("/files/export", (HttpContext context, ComputerRegistry registry, FileRelay relay) =>
            {
                var (computer, problem) = ProxyRoutes.FindBySecret(context, registry);
                return problem is null ? relay.ExportAsync(context, computer!) : Task.FromResult<IResult>(problem);
            }), "desktop_files_export");
        Describe(
            routes.MapPost("/api/desktops/{id}/proxy/files/export", (
                HttpContext context, string id, ComputerRegistry registry, ComputerLookup lookup, Authentication authentication, FileRelay relay) =>
            {
                var (computer, problem) = ProxyRoutes.Find(context, id, registry, lookup, authentication);
                return problem is null ? relay.ExportAsync(context, computer!) : Task.FromResult<IResult>(problem);
            }), "proxy_files_export");

        static void Describe(RouteHandlerBuilder route, string name) => route.WithName(name).WithTags("Desktop").WithSummary("A file out of the home folder.")
            .WithMetadata(QueryParameters.OfSockets).Accepts<DesktopExportRequest>("application/json")
            .Produces(200, contentType: ContentTypes.Unknown).Fails(400, 401, 403, 404, 409, 413, 415, 502, 503, 504);
    }

    private static void Describe(RouteHandlerBuilder route, string prefix, string method, string summary)
    {
        // Reading too: everything is in reach here, also what opens the computer.
        route.Needs(ActionClass.Use).WithName($"{prefix}{method.ToLowerInvariant()}FileInside").WithTags("Files").WithSummary(summary).WithMetadata(Parameters)
            .Fails(400, 401, 403, 404, 409, 413, 502, 503, 504, 507);
        _ = method switch
        {
            "GET" => route.Produces(200, contentType: ContentTypes.Unknown, additionalContentTypes: ["application/x-tar", "application/json"]).Produces(206).Produces(304).Fails(416),
            "HEAD" => route.Produces(200),
            "PUT" => route.Produces<FileEntry>(200).Produces<FileEntry>(201),
            "POST" => route.Accepts<FileActionRequest>("application/json").Produces<FileEntry>(200).Produces<FileEntry>(201).Fails(415, 424),
            _ => route.Produces<SuccessAnswer>(200).Fails(424),
        };
    }
}
