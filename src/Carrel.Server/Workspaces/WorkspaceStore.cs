using System.Data.Common;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Workspaces;

/// <summary>Workspaces in the database. One that is being deleted is no longer there for anybody.</summary>
internal sealed class WorkspaceStore(Database database)
{
    private const string Select =
        "SELECT id, account_id AS AccountId, name, status, icon_url AS IconUrl, created_at AS CreatedAt, updated_at AS UpdatedAt FROM workspaces";

    private const string Visible =
        "(account_id = @accountId OR id IN (SELECT workspace_id FROM workspace_members WHERE user_id = @accountId)) AND deleting = 0";

    /// <summary>False where the account has one of that name.</summary>
    public Task<bool> InsertAsync(Workspace workspace) =>
        database.WriteAsync((connection, transaction) => InsertAsync(connection, transaction, workspace));

    public static async Task<bool> InsertAsync(DbConnection connection, DbTransaction transaction, Workspace workspace) => await connection.ExecuteAsync(
        """
        INSERT INTO workspaces (id, account_id, name, status, icon_url, created_at, updated_at)
        VALUES (@Id, @AccountId, @Name, @Status, @IconUrl, @CreatedAt, @UpdatedAt)
        ON CONFLICT DO NOTHING
        """,
        workspace,
        transaction) > 0;

    /// <summary>Changes what it is called and shown as.</summary>
    /// <param name="changed">Runs where it was changed, before any later write.</param>
    public Task<WorkspaceChange> ChangeAsync(Workspace workspace, Action changed) => database.WriteAsync(
        (connection, transaction) => ChangeAsync(connection, transaction, workspace),
        change =>
        {
            if (change == WorkspaceChange.Done)
            {
                changed();
            }
        });

    private static async Task<WorkspaceChange> ChangeAsync(DbConnection connection, DbTransaction transaction, Workspace workspace)
    {
        var updated = await connection.ExecuteAsync(
            """
            UPDATE workspaces SET name = @Name, status = @Status, icon_url = @IconUrl, updated_at = @UpdatedAt
            WHERE id = @Id AND deleting = 0
              AND NOT EXISTS (SELECT 1 FROM workspaces o WHERE o.account_id = @AccountId AND o.name = @Name AND o.id <> @Id)
            """,
            workspace,
            transaction);
        if (updated > 0)
        {
            return WorkspaceChange.Done;
        }

        var there = await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM workspaces WHERE id = @Id AND deleting = 0", workspace, transaction);
        return there > 0 ? WorkspaceChange.NameTaken : WorkspaceChange.Gone;
    }

    public Task<Workspace?> FindAsync(string id) => database.ReadAsync(connection =>
        connection.QuerySingleOrDefaultAsync<Workspace>($"{Select} WHERE id = @id AND deleting = 0", new { id }));

    /// <summary>One of that name that the account owns, or else one that is shared with it.</summary>
    public Task<Workspace?> FindByNameAsync(string accountId, string name) => database.ReadAsync(connection =>
        connection.QueryFirstOrDefaultAsync<Workspace>(
            $"{Select} WHERE {Visible} AND name = @name ORDER BY CASE WHEN account_id = @accountId THEN 0 ELSE 1 END, created_at, id", new { accountId, name }));

    /// <summary>All that the account owns, and all that are shared with it.</summary>
    public async Task<IReadOnlyList<Workspace>> OfAccountAsync(string accountId) => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<Workspace>($"{Select} WHERE {Visible} ORDER BY created_at, id", new { accountId }))];

    /// <summary>From here on nothing can be added to it. Its deletion is finished even if the server dies meanwhile.</summary>
    public async Task<bool> MarkDeletingAsync(string id) => await database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("UPDATE workspaces SET deleting = 1 WHERE id = @id AND deleting = 0", new { id }, transaction)) > 0;

    public Task UnmarkAsync(string id) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("UPDATE workspaces SET deleting = 0 WHERE id = @id", new { id }, transaction));

    public Task DeleteAsync(string id) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("DELETE FROM workspaces WHERE id = @id", new { id }, transaction));

    public async Task<IReadOnlyList<string>> DeletingAsync() => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<string>("SELECT id FROM workspaces WHERE deleting = 1"))];
}

/// <summary>How a change went.</summary>
internal enum WorkspaceChange
{
    Done,
    NameTaken,
    Gone,
}
