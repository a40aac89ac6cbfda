using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Files;

/// <summary>What is known of files, in the database.</summary>
internal sealed class FileStore(Database database, TimeProvider clock)
{
    private const string Select =
        """
        SELECT f.id, f.workspace_id AS WorkspaceId, f.computer_id AS ComputerId, f.filename, f.content_type AS ContentType,
               f.size_bytes AS SizeBytes, f.source, f.created_at AS CreatedAt FROM files f
        """;

    /// <summary>False where the workspace was deleted meanwhile.</summary>
    public async Task<bool> InsertAsync(FileRecord file) => await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        """
        INSERT INTO files (id, workspace_id, computer_id, filename, content_type, size_bytes, source, created_at)
        SELECT @Id, @WorkspaceId, @ComputerId, @Filename, @ContentType, @SizeBytes, @Source, @CreatedAt
        WHERE EXISTS (SELECT 1 FROM workspaces WHERE id = @WorkspaceId AND deleting = 0)
        """,
        file,
        transaction)) > 0;

    public Task<FileRecord?> FindAsync(string id) => database.ReadAsync(connection =>
        connection.QuerySingleOrDefaultAsync<FileRecord>($"{Select} WHERE f.id = @id", new { id }));

    /// <param name="computerId">Only those meant for it or taken from it; null for all.</param>
    public async Task<IReadOnlyList<FileRecord>> ListAsync(string workspaceId, string? computerId) => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<FileRecord>(
            $"{Select} WHERE f.workspace_id = @workspaceId AND (@computerId IS NULL OR f.computer_id = @computerId) ORDER BY f.created_at DESC, f.id",
            new { workspaceId, computerId }))];

    public async Task<bool> DeleteAsync(string id) => await database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("DELETE FROM files WHERE id = @id", new { id }, transaction)) > 0;

    public async Task<IReadOnlyList<string>> AllIdsAsync() => [.. await database.ReadAsync(connection => connection.QueryAsync<string>("SELECT id FROM files"))];

    /// <summary>Uploads that a computer has yet to be given, the oldest first: of its workspace, and its own from wherever it was.</summary>
    public async Task<IReadOnlyList<FileRecord>> PendingAsync(string computerId, string workspaceId) => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<FileRecord>(
            $"""
            {Select} WHERE f.source = 'upload' AND (f.computer_id = @computerId OR f.computer_id IS NULL AND f.workspace_id = @workspaceId)
            AND NOT EXISTS (SELECT 1 FROM file_deliveries d WHERE d.file_id = f.id AND d.computer_id = @computerId)
            ORDER BY f.created_at, f.id
            """,
            new { computerId, workspaceId }))];

    /// <summary>A computer with the disk of another has what that one was given.</summary>
    /// <param name="until">Only what it was given by then; null for all.</param>
    public Task CopyDeliveriesAsync(string fromComputerId, string toComputerId, DateTimeOffset? until) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync(
            """
            INSERT INTO file_deliveries (file_id, computer_id, delivered_at)
            SELECT d.file_id, @toComputerId, d.delivered_at FROM file_deliveries d
            WHERE d.computer_id = @fromComputerId AND d.delivered_at <= @until
            ON CONFLICT DO NOTHING
            """,
            new { fromComputerId, toComputerId, until = until?.ToUnixTimeMilliseconds() ?? long.MaxValue },
            transaction));

    /// <summary>A computer whose disk went back in time has not what it was given since.</summary>
    public Task ForgetDeliveriesAsync(string computerId, DateTimeOffset after) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync(
            "DELETE FROM file_deliveries WHERE computer_id = @computerId AND delivered_at > @after",
            new { computerId, after = after.ToUnixTimeMilliseconds() },
            transaction));

    public Task DeliveredAsync(string fileId, string computerId) => database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        """
        INSERT INTO file_deliveries (file_id, computer_id, delivered_at)
        SELECT @fileId, @computerId, @now
        WHERE EXISTS (SELECT 1 FROM files WHERE id = @fileId) AND EXISTS (SELECT 1 FROM computers WHERE id = @computerId)
        ON CONFLICT DO NOTHING
        """,
        new { fileId, computerId, now = clock.GetUtcNow().ToUnixTimeMilliseconds() },
        transaction));
}
