using System.Globalization;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Idempotency;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Clones;

/// <summary><c>POST /computers/{id}/clone</c> (reference section 4.9); answers when the clone can be used.</summary>
internal sealed class CloneEndpoint(ComputerLookup lookup, ComputerViews views, WorkspaceStore workspaces, Cloning cloning)
{
    public async Task<IResult> RunAsync(HttpContext context, string id)
    {
        var (source, problem) = lookup.Find(context, id);
        if (problem is not null)
        {
            return problem;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var name = ComputerName.Read(fields, required: false);
        var target = fields.Text(
            100, "targetProjectId", "target_project_id", "targetWorkspaceId", "target_workspace_id", "workspace_id", "workspaceId", "project_id", "projectId");
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        target = (target ?? source!.State.Record.WorkspaceId).ToLowerInvariant();
        var workspace = await workspaces.FindAsync(target);
        var missing = $"No workspace {target}.";
        if ((workspace is null ? Problem.NotFound(missing) : context.Refusal(workspace.AccountId, workspace.Id, missing)) is { } refusal)
        {
            return refusal;
        }

        var cloned = await cloning.RunAsync(source!, workspace!, name, async record =>
        {
            context.NoteTarget("computer", record.Id);
            context.NoteDetail("name", record.Name);
            await context.WillMakeAsync(record.Id);
        });
        if (!cloned.Succeeded)
        {
            return cloned.Failure.AsProblem();
        }

        context.Response.Headers["Server-Timing"] = FrozenFor(cloned.Value.Frozen);
        return Results.Json(views.Of(cloned.Value.Computer, context), ApiJson.Default.ComputerAnswer, statusCode: StatusCodes.Status201Created);
    }

    /// <summary>How long the source stood still, in milliseconds, as browsers' tools show it.</summary>
    public static string FrozenFor(TimeSpan frozen) => string.Create(CultureInfo.InvariantCulture, $"frozen;dur={frozen.TotalMilliseconds:F1}");
}
