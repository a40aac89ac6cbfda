using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.State;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Plans;

/// <summary>Workspaces for somebody's customers, each with a key limited to it (reference section 19).</summary>
internal sealed class ClientEndpoints(ClientBook clients, KeyRing keys, IIdFactory ids, TimeProvider clock)
{
    public IResult List(HttpContext context) => Results.Json(
        new ClientList([.. clients.Of(context.Caller().AccountId).Select(Shown)]), ApiJson.Default.ClientList);

    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var account = context.Caller().AccountId;
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var external = read.Value.RequiredText(200, "external_id");
        var name = read.Value.Text(200, "name") ?? external;
        var most = read.Value.Whole(0, 1_000_000, "max_computers");
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var workspace = new Workspace { Id = ids.NewId().ToString(), AccountId = account, Name = name, Status = "active", CreatedAt = now, UpdatedAt = now };
        var client = new Client { WorkspaceId = workspace.Id, AccountId = account, ExternalId = external, MaxComputers = most, CreatedAt = now };
        if (!await clients.AddAsync(workspace, client))
        {
            return new Failure(
                ErrorCodes.NameTaken, $"An account with the external id {external}, or a workspace named {name}, already exists.", "Choose another.").AsProblem();
        }

        var (key, plaintext) = await keys.MakeAsync(account, workspace.Id, name, null);
        context.Note(workspace.Id, account);
        context.NoteTarget("workspace", workspace.Id);
        context.NoteDetail("external_id", external);
        context.NoteDetail("api_key", key.Id);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(Shown(client) with { ApiKey = plaintext }, ApiJson.Default.ClientAnswer, statusCode: StatusCodes.Status201Created);
    }

    private static ClientAnswer Shown(Client client) => new(
        client.WorkspaceId, client.ExternalId, client.WorkspaceId, client.MaxComputers, DateTimeOffset.FromUnixTimeMilliseconds(client.CreatedAt));
}
