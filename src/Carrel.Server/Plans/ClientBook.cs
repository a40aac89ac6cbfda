using System.Collections.Concurrent;
using Carrel.Server.State;
using Carrel.Server.Workspaces;
using Dapper;

namespace Carrel.Server.Plans;

/// <summary>A row of <c>clients</c>: a workspace for somebody's customer, with a limit of its own (reference section 19).</summary>
internal sealed class Client
{
    public string WorkspaceId { get; init; } = "";

    public string AccountId { get; init; } = "";

    public string ExternalId { get; init; } = "";

    public int? MaxComputers { get; init; }

    public long CreatedAt { get; init; }
}

/// <summary>All clients, in memory and in the database; memory changes after the database did.</summary>
internal sealed class ClientBook(Database database)
{
    private readonly ConcurrentDictionary<string, Client> _byWorkspace = new(StringComparer.Ordinal);

    public async Task LoadAsync()
    {
        var clients = await database.ReadAsync(connection => connection.QueryAsync<Client>(
            """
            SELECT workspace_id AS WorkspaceId, account_id AS AccountId, external_id AS ExternalId, max_computers AS MaxComputers, created_at AS CreatedAt
            FROM clients
            """));
        foreach (var client in clients)
        {
            _byWorkspace[client.WorkspaceId] = client;
        }
    }

    public int? MaxComputersOf(string workspaceId) => _byWorkspace.GetValueOrDefault(workspaceId)?.MaxComputers;

    public IEnumerable<Client> Of(string accountId) =>
        _byWorkspace.Values.Where(client => client.AccountId == accountId).OrderBy(client => client.CreatedAt);

    /// <summary>Makes a client's workspace. False where the account has a client of that external id or a workspace of that name.</summary>
    public async Task<bool> AddAsync(Workspace workspace, Client client)
    {
        var added = await database.WriteAsync(async (connection, transaction) =>
            await connection.ExecuteScalarAsync<long>(
                "SELECT COUNT(*) FROM clients WHERE account_id = @AccountId AND external_id = @ExternalId", client, transaction) == 0
            && await WorkspaceStore.InsertAsync(connection, transaction, workspace)
            && await connection.ExecuteAsync(
                """
                INSERT INTO clients (workspace_id, account_id, external_id, max_computers, created_at)
                VALUES (@WorkspaceId, @AccountId, @ExternalId, @MaxComputers, @CreatedAt)
                """,
                client,
                transaction) > 0);
        if (added)
        {
            _byWorkspace[client.WorkspaceId] = client;
        }

        return added;
    }

    /// <summary>Forgets the client of a workspace that is gone.</summary>
    public void Forget(string workspaceId) => _byWorkspace.TryRemove(workspaceId, out _);
}
