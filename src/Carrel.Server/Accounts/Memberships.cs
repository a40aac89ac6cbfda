using System.Collections.Concurrent;
using System.Collections.Immutable;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>A member of a workspace; times are Unix milliseconds.</summary>
internal sealed class Member
{
    public string WorkspaceId { get; init; } = "";

    public string UserId { get; init; } = "";

    public string Role { get; init; } = "";

    public long CreatedAt { get; init; }
}

/// <summary>Who is a member of what, in memory and in the database; memory changes after the database did.</summary>
internal sealed class Memberships(Database database, TimeProvider clock)
{
    private const string Select = "SELECT workspace_id AS WorkspaceId, user_id AS UserId, role, created_at AS CreatedAt FROM workspace_members";
    private readonly ConcurrentDictionary<string, ImmutableDictionary<string, WorkspaceRole>> _roles = new(StringComparer.Ordinal);

    /// <summary>Workspaces that were given away since the server began: what was read before names the old owner.</summary>
    private readonly ConcurrentDictionary<string, string> _newOwners = new(StringComparer.Ordinal);

    public async Task LoadAsync()
    {
        foreach (var member in await database.ReadAsync(connection => connection.QueryAsync<Member>(Select)))
        {
            Remember(member.WorkspaceId, member.UserId, Roles.Parse(member.Role)!.Value);
        }
    }

    public WorkspaceRole? RoleOf(string workspaceId, string userId) =>
        _roles.TryGetValue(workspaceId, out var roles) && roles.TryGetValue(userId, out var role) ? role : null;

    /// <param name="known">Whose it was when it was read.</param>
    public string OwnerOf(string workspaceId, string known) => _newOwners.GetValueOrDefault(workspaceId, known);

    public async Task<IReadOnlyList<Member>> OfAsync(string workspaceId) => [.. await database.ReadAsync(connection =>
        connection.QueryAsync<Member>($"{Select} WHERE workspace_id = @workspaceId ORDER BY created_at, user_id", new { workspaceId }))];

    /// <summary>Makes somebody a member, or changes what they may do.</summary>
    public async Task SetAsync(string workspaceId, string userId, WorkspaceRole role)
    {
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            INSERT INTO workspace_members (workspace_id, user_id, role, created_at) VALUES (@workspaceId, @userId, @role, @now)
            ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = excluded.role
            """,
            new { workspaceId, userId, role = role.Wire(), now = Now },
            transaction));
        Remember(workspaceId, userId, role);
    }

    public async Task<bool> RemoveAsync(string workspaceId, string userId)
    {
        var removed = await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "DELETE FROM workspace_members WHERE workspace_id = @workspaceId AND user_id = @userId", new { workspaceId, userId }, transaction));
        Forget(workspaceId, userId);
        return removed > 0;
    }

    /// <summary>Gives a workspace to one of its members; who had it is an admin of it from then on.</summary>
    /// <returns>False where the new owner has a workspace of that name already.</returns>
    public async Task<bool> TransferAsync(string workspaceId, string from, string to)
    {
        var given = await database.WriteAsync(async (connection, transaction) =>
        {
            var moved = await connection.ExecuteAsync(
                """
                UPDATE workspaces SET account_id = @to, updated_at = @now
                WHERE id = @workspaceId AND account_id = @from
                  AND NOT EXISTS (SELECT 1 FROM workspaces other WHERE other.account_id = @to AND other.name = workspaces.name)
                """,
                new { workspaceId, from, to, now = Now },
                transaction);
            if (moved == 0)
            {
                return false;
            }

            await connection.ExecuteAsync("DELETE FROM workspace_members WHERE workspace_id = @workspaceId AND user_id = @to", new { workspaceId, to }, transaction);
            await connection.ExecuteAsync(
                "INSERT INTO workspace_members (workspace_id, user_id, role, created_at) VALUES (@workspaceId, @from, 'admin', @now)",
                new { workspaceId, from, now = Now },
                transaction);
            return true;
        });
        if (given)
        {
            Remember(workspaceId, from, WorkspaceRole.Admin);
            _newOwners[workspaceId] = to;
            Forget(workspaceId, to);
        }

        return given;
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private void Remember(string workspaceId, string userId, WorkspaceRole role) => _roles.AddOrUpdate(
        workspaceId,
        _ => ImmutableDictionary.Create<string, WorkspaceRole>(StringComparer.Ordinal).SetItem(userId, role),
        (_, roles) => roles.SetItem(userId, role));

    private void Forget(string workspaceId, string userId)
    {
        if (_roles.ContainsKey(workspaceId))
        {
            _roles.AddOrUpdate(workspaceId, _ => ImmutableDictionary<string, WorkspaceRole>.Empty, (_, roles) => roles.Remove(userId));
        }
    }
}
