using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Streaming;

/// <summary>Stream connections in the database, each its account's.</summary>
internal sealed class StreamConnectionStore(Database database)
{
    private const string Select =
        """
        SELECT id, account_id AS AccountId, name, url, stream_key AS StreamKey, created_at AS CreatedAt, updated_at AS UpdatedAt
        FROM stream_connections
        """;

    /// <summary>False where the account has one of that name.</summary>
    public async Task<bool> InsertAsync(StreamConnection connection) => await database.WriteAsync((db, transaction) => db.ExecuteAsync(
        """
        INSERT INTO stream_connections (id, account_id, name, url, stream_key, created_at, updated_at)
        VALUES (@Id, @AccountId, @Name, @Url, @StreamKey, @CreatedAt, @UpdatedAt)
        ON CONFLICT DO NOTHING
        """,
        connection,
        transaction)) > 0;

    /// <summary>False where the account has another one of that name.</summary>
    public Task<bool> UpdateAsync(StreamConnection connection) => database.WriteAsync(async (db, transaction) =>
    {
        var others = await db.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM stream_connections WHERE account_id = @AccountId AND name = @Name AND id <> @Id", connection, transaction);
        return others == 0 && await db.ExecuteAsync(
            "UPDATE stream_connections SET name = @Name, url = @Url, stream_key = @StreamKey, updated_at = @UpdatedAt WHERE id = @Id", connection, transaction) > 0;
    });

    public Task<StreamConnection?> FindAsync(string accountId, string id) => database.ReadAsync(db =>
        db.QuerySingleOrDefaultAsync<StreamConnection>($"{Select} WHERE account_id = @accountId AND id = @id", new { accountId, id }));

    public Task<StreamConnection?> FindByNameAsync(string accountId, string name) => database.ReadAsync(db =>
        db.QuerySingleOrDefaultAsync<StreamConnection>($"{Select} WHERE account_id = @accountId AND name = @name", new { accountId, name }));

    public async Task<IReadOnlyList<StreamConnection>> OfAccountAsync(string accountId) => [.. await database.ReadAsync(db =>
        db.QueryAsync<StreamConnection>($"{Select} WHERE account_id = @accountId ORDER BY name", new { accountId }))];

    public Task DeleteAsync(string id) => database.WriteAsync((db, transaction) =>
        db.ExecuteAsync("DELETE FROM stream_connections WHERE id = @id", new { id }, transaction));
}
