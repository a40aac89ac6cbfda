using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Recordings;

/// <summary>Recordings in the database. Those being deleted are no longer there for anybody who asks for one.</summary>
internal sealed class RecordingStore(Database database)
{
    private const string Select =
        """
        SELECT id, computer_id AS ComputerId, name, status, reason, fps, audio, redact, created_at AS CreatedAt, started_at AS StartedAt,
               finished_at AS FinishedAt, duration_ms AS DurationMs, size_bytes AS SizeBytes, actions
        FROM recordings
        """;

    public Task InsertAsync(RecordingRow row) => database.WriteAsync((db, transaction) => db.ExecuteAsync(
        """
        INSERT INTO recordings (id, computer_id, name, status, fps, audio, redact, created_at)
        VALUES (@Id, @ComputerId, @Name, @Status, @Fps, @Audio, @Redact, @CreatedAt)
        """,
        row,
        transaction));

    /// <summary>Changes nothing where it was deleted meanwhile.</summary>
    public Task UpdateAsync(RecordingRow row) => database.WriteAsync((db, transaction) => db.ExecuteAsync(
        """
        UPDATE recordings SET status = @Status, reason = @Reason, started_at = @StartedAt, finished_at = @FinishedAt,
               duration_ms = @DurationMs, size_bytes = @SizeBytes, actions = @Actions
        WHERE id = @Id
        """,
        row,
        transaction));

    public Task DeleteAsync(string id) => database.WriteAsync((db, transaction) =>
        db.ExecuteAsync("DELETE FROM recordings WHERE id = @id", new { id }, transaction));

    public Task<RecordingRow?> FindAsync(string computerId, string id) => database.ReadAsync(db => db.QuerySingleOrDefaultAsync<RecordingRow>(
        $"{Select} WHERE computer_id = @computerId AND id = @id AND status <> '{RecordingRow.Deleting}'", new { computerId, id }));

    public async Task<IReadOnlyList<RecordingRow>> OfComputerAsync(string computerId) => [.. await database.ReadAsync(db => db.QueryAsync<RecordingRow>(
        $"{Select} WHERE computer_id = @computerId AND status <> '{RecordingRow.Deleting}' ORDER BY created_at DESC, id", new { computerId }))];

    /// <summary>Those of which something is inside their computers.</summary>
    public async Task<IReadOnlyList<RecordingRow>> UnfinishedAsync() => [.. await database.ReadAsync(db => db.QueryAsync<RecordingRow>(
        $"{Select} WHERE status NOT IN ('{RecordingRow.Finished}', '{RecordingRow.Failed}') ORDER BY created_at"))];
}
