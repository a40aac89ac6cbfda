using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Snapshots;

/// <summary>Snapshots in the database. Who asks for one sees those that are ready.</summary>
internal sealed class SnapshotStore(Database database)
{
    private const string Select =
        """
        SELECT id, computer_id AS ComputerId, name, description, status, image, image_digest AS ImageDigest, cpu, ram_gb AS RamGb, disk_gb AS DiskGb,
               width, height, depth, size_bytes AS SizeBytes, created_at AS CreatedAt
        FROM snapshots
        """;

    /// <summary>False where the computer has as many as it may.</summary>
    public async Task<bool> InsertAsync(SnapshotRow row, int most) => await database.WriteAsync(async (db, transaction) =>
    {
        var there = await db.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM snapshots WHERE computer_id = @ComputerId", row, transaction);
        return there >= most ? 0 : await db.ExecuteAsync(
            """
            INSERT INTO snapshots (id, computer_id, name, description, status, image, image_digest, cpu, ram_gb, disk_gb, width, height, depth,
                                   size_bytes, created_at)
            VALUES (@Id, @ComputerId, @Name, @Description, @Status, @Image, @ImageDigest, @Cpu, @RamGb, @DiskGb, @Width, @Height, @Depth,
                    @SizeBytes, @CreatedAt)
            """,
            row,
            transaction);
    }) > 0;

    /// <summary>Writes what became of it.</summary>
    public Task UpdateAsync(SnapshotRow row) => database.WriteAsync((db, transaction) => db.ExecuteAsync(
        "UPDATE snapshots SET status = @Status, image_digest = @ImageDigest, size_bytes = @SizeBytes, created_at = @CreatedAt WHERE id = @Id", row, transaction));

    public Task HideAllAsync(string computerId) => database.WriteAsync((db, transaction) => db.ExecuteAsync(
        $"UPDATE snapshots SET status = '{SnapshotRow.Deleting}' WHERE computer_id = @computerId", new { computerId }, transaction));

    public Task DeleteAsync(string id) => database.WriteAsync((db, transaction) =>
        db.ExecuteAsync("DELETE FROM snapshots WHERE id = @id", new { id }, transaction));

    public Task<SnapshotRow?> FindAsync(string id) => database.ReadAsync(db =>
        db.QuerySingleOrDefaultAsync<SnapshotRow>($"{Select} WHERE id = @id AND status = '{SnapshotRow.Ready}'", new { id = id.ToLowerInvariant() }));

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<SnapshotRow>> OfComputerAsync(string computerId) => [.. await database.ReadAsync(db => db.QueryAsync<SnapshotRow>(
        $"{Select} WHERE computer_id = @computerId AND status = '{SnapshotRow.Ready}' ORDER BY created_at DESC, id", new { computerId }))];

    /// <summary>All there are, whatever their status.</summary>
    public async Task<IReadOnlyList<SnapshotRow>> AllAsync() => [.. await database.ReadAsync(db => db.QueryAsync<SnapshotRow>(Select))];

    public async Task<IReadOnlyList<string>> IdsOfAsync(string computerId) => [.. await database.ReadAsync(db =>
        db.QueryAsync<string>("SELECT id FROM snapshots WHERE computer_id = @computerId", new { computerId }))];
}
