using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Screenshots;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Files;

/// <summary>The files kept for a workspace: list, link, delete, and serve to whoever holds a link (reference section 8).</summary>
internal sealed class FileEndpoints(
    FileStore store, FileKeeping keeping, FileContents contents, FileScope scope, SignedLinks links, PublicAddress address, TimeProvider clock)
{
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    public async Task<IResult> ListAsync(HttpContext context)
    {
        var workspaceId = FileScope.FromQuery(context.Request, FileScope.WorkspaceNames);
        var (workspace, problem) = await scope.WorkspaceAsync(context, workspaceId);
        if (problem is not null)
        {
            return problem;
        }

        string? computerId = null;
        if (FileScope.FromQuery(context.Request, FileScope.ComputerNames) is { } wanted)
        {
            // A computer that is gone may have left files: only its full id finds them.
            computerId = scope.IdOf(wanted);
        }

        var files = await store.ListAsync(workspace!.Id, computerId);
        return Results.Json(new FileList([.. files.Select(file => file.AsAnswer())]), ApiJson.Default.FileList);
    }

    public async Task<IResult> DownloadAsync(HttpContext context)
    {
        var (file, problem) = await FindAsync(context);
        return problem ?? Results.Json(new DownloadAnswer(LinkTo(file!, context.Request)), ApiJson.Default.DownloadAnswer);
    }

    public async Task<IResult> DeleteAsync(HttpContext context)
    {
        var (file, problem) = await FindAsync(context);
        if (problem is not null)
        {
            return problem;
        }

        return await keeping.DeleteAsync(file!.Id) ? Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer) : Missing(file.Id);
    }

    public async Task<IResult> ServeAsync(HttpContext context, string id, string? expires, string? signature)
    {
        if (links.Check(context.Request.Path.Value!, expires ?? "", signature ?? "") is null)
        {
            return new Failure(ErrorCodes.AccessDenied, "Access denied: this link has expired or was altered.", "Ask GET /api/files/download for another.").AsProblem();
        }

        if (await store.FindAsync(id) is not { } file || contents.Find(id) is not { } found)
        {
            return Missing(id);
        }

        ContentTypes.Fence(context.Response, file.Filename);
        return Results.File(found.FullName, ContentTypes.Served(file.Filename), lastModified: found.LastWriteTimeUtc, enableRangeProcessing: true);
    }

    public string LinkTo(FileRecord file, HttpRequest request) => links.Sign(address.BaseOf(request), $"/files/{file.Id}", clock.GetUtcNow() + LinkLifetime);

    private async Task<(FileRecord? File, Problem? Problem)> FindAsync(HttpContext context)
    {
        var id = context.Request.Query["id"].ToString();
        if (id.Length == 0)
        {
            return (null, new Failure(ErrorCodes.MissingField, "The query parameter id is missing.").AsProblem());
        }

        if (!Guid.TryParseExact(id, "D", out var parsed) || await store.FindAsync(parsed.ToString()) is not { } file)
        {
            return (null, Missing(id));
        }

        var (_, problem) = await scope.WorkspaceAsync(context, file.WorkspaceId, $"No file {id}.");
        return problem is null ? (file, null) : (null, problem);
    }

    private static Problem Missing(string id) => Problem.NotFound($"No file {id}.");
}

/// <summary>Who may use which workspace's and computer's files, by all the names clients have for the two.</summary>
internal sealed class FileScope(WorkspaceStore workspaces, ComputerLookup computers, ComputerRegistry registry)
{
    public static readonly string[] WorkspaceNames = ["projectId", "workspaceId", "project_id", "workspace_id"];
    public static readonly string[] ComputerNames = ["desktopId", "desktop_id", "computerId", "computer_id"];

    public static string? FromQuery(HttpRequest request, string[] names) =>
        names.Select(name => request.Query[name].ToString()).FirstOrDefault(value => value.Length > 0);

    public async Task<(Workspace? Workspace, Problem? Problem)> WorkspaceAsync(HttpContext context, string? id, string? missing = null)
    {
        if (string.IsNullOrEmpty(id))
        {
            return (null, new Failure(ErrorCodes.MissingField, "Missing projectId.", "Name the workspace as projectId or workspaceId.").AsProblem());
        }

        missing ??= $"No workspace {id}.";
        var workspace = await workspaces.FindAsync(id.ToLowerInvariant());
        var problem = workspace is null ? Problem.NotFound(missing) : context.Refusal(workspace.AccountId, workspace.Id, missing);
        return problem is null ? (workspace, null) : (null, problem);
    }

    public (Computer? Computer, Problem? Problem) Computer(HttpContext context, string id) => computers.Find(context, id);

    public IEnumerable<Computer> In(string workspaceId) => registry.In(workspaceId);

    public string IdOf(string id) => registry.Find(id)?.Id ?? id.ToLowerInvariant();
}
