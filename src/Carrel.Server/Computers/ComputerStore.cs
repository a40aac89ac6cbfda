using System.Data.Common;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Computers;

/// <summary>Computers and their operations in the database. A status and the operation that brings it change together.</summary>
internal sealed class ComputerStore(Database database, SecretBox secrets, TimeProvider clock)
{
    private const string Columns =
        """
        c.id, c.instance_id AS InstanceId, w.account_id AS AccountId, c.workspace_id AS WorkspaceId, w.name AS WorkspaceName, c.name, c.image,
        c.cpu, c.ram_gb AS RamGb, c.disk_gb AS DiskGb, c.width, c.height, c.depth, c.bandwidth_mbps AS BandwidthMbps,
        c.auto_stop_minutes AS AutoStopMinutes, c.status, c.status_reason AS StatusReason, c.secrets, c.created_at AS CreatedAt
        """;

    /// <summary>Adds a computer to a workspace that is there and not being deleted.</summary>
    /// <param name="added">Runs before any later write, so that a deletion of the workspace sees the computer.</param>
    public Task<Insertion> InsertAsync(ComputerRecord record, Guid operation, Action added) => database.WriteAsync(async (connection, transaction) =>
    {
        var inserted = await connection.ExecuteAsync(
            """
            INSERT INTO computers (id, instance_id, workspace_id, name, image, cpu, ram_gb, disk_gb, width, height, depth,
                                   auto_stop_minutes, status, secrets, created_at, updated_at)
            SELECT @Id, @InstanceId, @WorkspaceId, @Name, @Image, @Cpu, @RamGb, @DiskGb, @Width, @Height, @Depth,
                   @AutoStopMinutes, @Status, @Secrets, @CreatedAt, @CreatedAt
            WHERE EXISTS (SELECT 1 FROM workspaces WHERE id = @WorkspaceId AND deleting = 0)
            ON CONFLICT DO NOTHING
            """,
            ComputerRow.From(record, secrets),
            transaction);
        if (inserted == 0)
        {
            var taken = await connection.ExecuteScalarAsync<long>(
                "SELECT COUNT(*) FROM computers WHERE workspace_id = @WorkspaceId AND name = @Name", new { record.WorkspaceId, record.Name }, transaction);
            return taken > 0 ? Insertion.NameTaken : Insertion.WorkspaceGone;
        }

        await BeginOperationAsync(connection, transaction, operation, record.Id, "create");
        added();
        return Insertion.Done;
    });

    /// <summary>Records that a transition begins: the status it has while it lasts, its secrets, its operation.</summary>
    public Task BeginAsync(ComputerRecord record, Guid operation, string kind, string? subject = null) => database.WriteAsync(async (connection, transaction) =>
    {
        await UpdateAsync(connection, transaction, record);
        return await BeginOperationAsync(connection, transaction, operation, record.Id, kind, subject);
    });

    /// <summary>Records how a transition ended.</summary>
    /// <param name="operation">Null where nobody asked for the change.</param>
    public Task EndAsync(ComputerRecord record, Guid? operation, string? error) => database.WriteAsync(async (connection, transaction) =>
    {
        await connection.ExecuteAsync(
            "UPDATE operations SET status = @status, error = @error, finished_at = @now WHERE id = @id",
            new { id = operation?.ToString(), status = error is null ? "succeeded" : "failed", error, now = Now },
            transaction);
        return await UpdateAsync(connection, transaction, record);
    });

    /// <summary>Records what a resize came to.</summary>
    public Task ResizedAsync(ComputerRecord record) => database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        """
        UPDATE computers SET cpu = @Cpu, ram_gb = @RamGb, disk_gb = @DiskGb, bandwidth_mbps = @BandwidthMbps,
                             auto_stop_minutes = @AutoStopMinutes, updated_at = @Now
        WHERE id = @Id
        """,
        new
        {
            record.Id, record.Hardware.Cpu, record.Hardware.RamGb, record.Hardware.DiskGb, record.BandwidthMbps, record.AutoStopMinutes, Now,
        },
        transaction));

    /// <summary>Removes a computer and its operations: deleted, or never come to be.</summary>
    public Task DeleteAsync(string id) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("DELETE FROM computers WHERE id = @id", new { id }, transaction));

    public async Task<IReadOnlyList<ComputerRecord>> AllAsync()
    {
        var rows = await database.ReadAsync(connection => connection.QueryAsync<ComputerRow>(
            $"SELECT {Columns} FROM computers c JOIN workspaces w ON w.id = c.workspace_id ORDER BY c.created_at"));
        return [.. rows.Select(row => row.ToRecord(secrets))];
    }

    public Task<OperationRow?> OperationAsync(string computerId, string operationId) => database.ReadAsync(connection =>
        connection.QuerySingleOrDefaultAsync<OperationRow>(
            """
            SELECT id, computer_id AS ComputerId, kind, status, error, created_at AS CreatedAt, finished_at AS FinishedAt
            FROM operations WHERE id = @operationId AND computer_id = @computerId
            """,
            new { computerId, operationId }));

    public async Task<IReadOnlyList<OperationRow>> UnfinishedAsync() => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<OperationRow>(
            """
            SELECT id, computer_id AS ComputerId, kind, subject, status, error, created_at AS CreatedAt, finished_at AS FinishedAt
            FROM operations WHERE finished_at IS NULL ORDER BY created_at
            """))];

    /// <summary>Forgets operations that ended long ago.</summary>
    public Task<int> ForgetOperationsAsync(DateTimeOffset before) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("DELETE FROM operations WHERE finished_at < @before", new { before = before.ToUnixTimeMilliseconds() }, transaction));

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private Task<int> UpdateAsync(DbConnection connection, DbTransaction transaction, ComputerRecord record) => connection.ExecuteAsync(
        "UPDATE computers SET status = @status, status_reason = @reason, secrets = @secrets, updated_at = @now WHERE id = @id",
        new
        {
            id = record.Id,
            status = record.Status.Wire(),
            reason = record.StatusReason,
            secrets = ComputerRow.Seal(record.Secrets, secrets),
            now = Now,
        },
        transaction);

    private Task<int> BeginOperationAsync(DbConnection connection, DbTransaction transaction, Guid id, string computerId, string kind, string? subject = null) =>
        connection.ExecuteAsync(
            "INSERT INTO operations (id, computer_id, kind, subject, status, created_at) VALUES (@id, @computerId, @kind, @subject, 'running', @now)",
            new { id = id.ToString(), computerId, kind, subject, now = Now },
            transaction);
}

/// <summary>How adding a computer went.</summary>
internal enum Insertion
{
    Done,
    NameTaken,
    WorkspaceGone,
}
