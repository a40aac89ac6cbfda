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
        c.auto_stop_minutes AS AutoStopMinutes, c.auto_start AS AutoStart, c.starred, c.status, c.status_reason AS StatusReason, c.secrets,
        c.created_at AS CreatedAt
        """;

    private const string Operations =
        """
        SELECT id, computer_id AS ComputerId, instance_id AS InstanceId, account_id AS AccountId, workspace_id AS WorkspaceId, kind, subject, status,
               error, created_at AS CreatedAt, finished_at AS FinishedAt
        FROM operations
        """;

    /// <summary>Adds a computer to a workspace that is there and not being deleted.</summary>
    /// <param name="added">Runs before any later write, so that a deletion of the workspace sees the computer.</param>
    public Task<Insertion> InsertAsync(ComputerRecord record, Guid operation, Action added) => database.WriteAsync(
        (connection, transaction) => InsertAsync(connection, transaction, record, operation),
        insertion =>
        {
            if (insertion == Insertion.Done)
            {
                added();
            }
        });

    private async Task<Insertion> InsertAsync(DbConnection connection, DbTransaction transaction, ComputerRecord record, Guid operation)
    {
        var inserted = await connection.ExecuteAsync(
            """
            INSERT INTO computers (id, instance_id, workspace_id, name, image, cpu, ram_gb, disk_gb, width, height, depth,
                                   auto_stop_minutes, auto_start, starred, status, secrets, created_at, updated_at)
            SELECT @Id, @InstanceId, @WorkspaceId, @Name, @Image, @Cpu, @RamGb, @DiskGb, @Width, @Height, @Depth,
                   @AutoStopMinutes, @AutoStart, @Starred, @Status, @Secrets, @CreatedAt, @CreatedAt
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
        return Insertion.Done;
    }

    /// <summary>Records that a transition begins: the status it has while it lasts, its secrets, its operation.</summary>
    public Task BeginAsync(ComputerRecord record, Guid operation, string kind, string? subject = null) => database.WriteAsync(async (connection, transaction) =>
    {
        await UpdateAsync(connection, transaction, record);
        return await BeginOperationAsync(connection, transaction, operation, record.Id, kind, subject: subject);
    });

    /// <summary>Records how a transition ended.</summary>
    /// <param name="operation">Null where nobody asked for the change.</param>
    public Task EndAsync(ComputerRecord record, Guid? operation, string? error) => database.WriteAsync(async (connection, transaction) =>
    {
        await EndOperationAsync(connection, transaction, operation, error, record.Status == ComputerStatus.Error);
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

    /// <summary>Removes a computer: deleted, or never come to be. Its operations stay for a while.</summary>
    /// <param name="operation">What removed it, or was to make it.</param>
    /// <param name="error">Why the operation failed; null where it was to remove it.</param>
    public Task DeleteAsync(string id, Guid? operation = null, string? error = null) => database.WriteAsync(async (connection, transaction) =>
    {
        await EndOperationAsync(connection, transaction, operation, error);
        return await connection.ExecuteAsync("DELETE FROM computers WHERE id = @id", new { id }, transaction);
    });

    /// <summary>Changes name, workspace or wishes of a computer, in the database and in memory.</summary>
    /// <param name="change">Of <see cref="ComputerRecord.Keeping"/>'s fields; made of what the computer is when its turn comes.</param>
    public Task<Insertion> ChangeAsync(Computer computer, Func<ComputerRecord, ComputerRecord> change) => database.WriteAsync(
        (connection, transaction) => ChangeAsync(connection, transaction, computer, change),
        changed =>
        {
            if (changed == Insertion.Done)
            {
                // Before any later write, so that a deletion of either workspace sees where the computer is.
                computer.Change(change);
            }
        });

    private async Task<Insertion> ChangeAsync(DbConnection connection, DbTransaction transaction, Computer computer, Func<ComputerRecord, ComputerRecord> change)
    {
        var changed = ComputerRow.From(change(computer.State.Record), secrets);
        var updated = await connection.ExecuteAsync(
            """
            UPDATE computers SET name = @Name, workspace_id = @WorkspaceId, auto_stop_minutes = @AutoStopMinutes, auto_start = @AutoStart,
                                 starred = @Starred, updated_at = @now
            WHERE id = @Id
              AND NOT EXISTS (SELECT 1 FROM computers o WHERE o.workspace_id = @WorkspaceId AND o.name = @Name AND o.id <> @Id)
              AND EXISTS (SELECT 1 FROM workspaces t WHERE t.id = @WorkspaceId AND t.deleting = 0)
              AND EXISTS (SELECT 1 FROM workspaces s WHERE s.id = computers.workspace_id AND s.deleting = 0)
            """,
            new
            {
                changed.Id, changed.Name, changed.WorkspaceId, changed.AutoStopMinutes, changed.AutoStart, changed.Starred, now = Now,
            },
            transaction);
        if (updated > 0)
        {
            return Insertion.Done;
        }

        var taken = await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM computers WHERE workspace_id = @WorkspaceId AND name = @Name AND id <> @Id",
            new { changed.WorkspaceId, changed.Name, changed.Id },
            transaction);
        return taken > 0 ? Insertion.NameTaken : Insertion.WorkspaceGone;
    }

    public async Task<IReadOnlyList<ComputerRecord>> AllAsync()
    {
        var rows = await database.ReadAsync(connection => connection.QueryAsync<ComputerRow>(
            $"SELECT {Columns} FROM computers c JOIN workspaces w ON w.id = c.workspace_id ORDER BY c.created_at"));
        return [.. rows.Select(row => row.ToRecord(secrets))];
    }

    public Task<OperationRow?> OperationAsync(string id) => database.ReadAsync(connection =>
        connection.QuerySingleOrDefaultAsync<OperationRow>($"{Operations} WHERE id = @id", new { id }));

    /// <summary>Those of one computer, the newest first.</summary>
    public async Task<IReadOnlyList<OperationRow>> OperationsAsync(string computerId) => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<OperationRow>($"{Operations} WHERE computer_id = @computerId ORDER BY created_at DESC, id", new { computerId }))];

    public async Task<IReadOnlyList<OperationRow>> UnfinishedAsync() => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<OperationRow>($"{Operations} WHERE finished_at IS NULL ORDER BY created_at"))];

    /// <summary>Writes down work whose turn comes later; <see cref="BeginAsync"/> with the same id says when it comes.</summary>
    public Task QueueAsync(IEnumerable<(Guid Operation, string ComputerId)> waiting, string kind) => database.WriteAsync(async (connection, transaction) =>
    {
        foreach (var (operation, computerId) in waiting)
        {
            await BeginOperationAsync(connection, transaction, operation, computerId, kind, "queued");
        }

        return true;
    });

    /// <summary>Ends an operation that changed nothing of its computer.</summary>
    /// <param name="unclear">Nobody can tell what came of it.</param>
    public Task EndOperationAsync(Guid operation, string? error, bool unclear = false) => database.WriteAsync((connection, transaction) =>
        EndOperationAsync(connection, transaction, operation, error, unclear));

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

    private Task<int> BeginOperationAsync(
        DbConnection connection, DbTransaction transaction, Guid id, string computerId, string kind, string status = "running", string? subject = null) => connection.ExecuteAsync(
        """
        INSERT INTO operations (id, computer_id, instance_id, account_id, workspace_id, kind, subject, status, created_at)
        SELECT @id, c.id, c.instance_id, w.account_id, w.id, @kind, @subject, @status, @now
        FROM computers c JOIN workspaces w ON w.id = c.workspace_id WHERE c.id = @computerId
        ON CONFLICT (id) DO UPDATE SET status = excluded.status
        """,
        new { id = id.ToString(), computerId, kind, subject, status, now = Now },
        transaction);

    private Task<int> EndOperationAsync(DbConnection connection, DbTransaction transaction, Guid? id, string? error, bool unclear = false) =>
        connection.ExecuteAsync(
            "UPDATE operations SET status = @status, error = @error, finished_at = @now WHERE id = @id",
            new { id = id?.ToString(), status = error is null ? "succeeded" : unclear ? "needs_review" : "failed", error, now = Now },
            transaction);
}

/// <summary>How adding a computer went.</summary>
internal enum Insertion
{
    Done,
    NameTaken,
    WorkspaceGone,
}
