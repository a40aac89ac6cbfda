using System.Text;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Audit;

/// <summary>What to look for in the audit log; what is null does not matter.</summary>
/// <param name="Viewer">Only what this account did, or what was done in its workspaces.</param>
/// <param name="Before">Only what is older than the entry of this id.</param>
internal sealed record AuditQuery(
    string? Viewer, long? From, long? To, string? User, string? Action, string? Target, string? WorkspaceId, string? Before, int Limit);

/// <summary>The audit log in the database.</summary>
internal sealed class AuditStore(Database database)
{
    private const string Select =
        """
        SELECT id, at, account_id AS AccountId, actor, key_id AS KeyId, session_id AS SessionId, address, action, method, target_kind AS TargetKind,
               target_id AS TargetId, workspace_id AS WorkspaceId, owner_id AS OwnerId, status, request_id AS RequestId, details
        FROM audit_log
        """;

    public Task WriteAsync(IReadOnlyList<AuditEntry> entries) => database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        """
        INSERT INTO audit_log (id, at, account_id, actor, key_id, session_id, address, action, method, target_kind, target_id, workspace_id, owner_id,
                               status, request_id, details)
        VALUES (@Id, @At, @AccountId, @Actor, @KeyId, @SessionId, @Address, @Action, @Method, @TargetKind, @TargetId, @WorkspaceId, @OwnerId,
                @Status, @RequestId, @Details)
        """,
        entries,
        transaction));

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<AuditEntry>> FindAsync(AuditQuery query)
    {
        var sql = new StringBuilder(Select).Append(" WHERE 1 = 1");
        Add(query.Viewer, "(account_id = @Viewer OR owner_id = @Viewer)");
        Add(query.From, "at >= @From");
        Add(query.To, "at < @To");
        Add(query.User, "(account_id = @User OR actor = @User)");
        Add(query.Action, "action = @Action");
        Add(query.Target, "target_id = @Target");
        Add(query.WorkspaceId, "workspace_id = @WorkspaceId");
        Add(query.Before, "id < @Before");
        sql.Append(" ORDER BY id DESC LIMIT @Limit");
        return [.. await database.ReadAsync(connection => connection.QueryAsync<AuditEntry>(sql.ToString(), query))];

        void Add(object? value, string condition)
        {
            if (value is not null)
            {
                sql.Append(" AND ").Append(condition);
            }
        }
    }

    public Task<int> ForgetAsync(DateTimeOffset before) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("DELETE FROM audit_log WHERE at < @before", new { before = before.ToUnixTimeMilliseconds() }, transaction));
}
