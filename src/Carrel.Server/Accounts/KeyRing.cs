using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>
/// All keys in use, by hash, in memory: a request costs one SHA-256 and one look-up. Looking up by the hash of what was
/// presented tells an attacker's stopwatch nothing about a key.
/// </summary>
internal sealed class KeyRing(Database database, IIdFactory ids, TimeProvider clock)
{
    public const string Prefix = "sk_live_";
    private readonly ConcurrentDictionary<string, Caller> _byHash = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Caller> _byId = new(StringComparer.Ordinal);

    public async Task LoadAsync()
    {
        var rows = await database.ReadAsync(connection => connection.QueryAsync<Row>(
            "SELECT id, account_id AS AccountId, workspace_id AS WorkspaceId, hash FROM api_keys WHERE revoked_at IS NULL"));
        foreach (var row in rows)
        {
            Remember(row.Hash, new Caller(row.AccountId, row.Id, row.WorkspaceId));
        }
    }

    public Caller? Find(string key)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal) || key.Length > 200)
        {
            return null;
        }

        return _byHash.GetValueOrDefault(Hash(key));
    }

    public Caller? FindById(string keyId) => _byId.GetValueOrDefault(keyId);

    /// <summary>Makes a key. The plaintext is returned once and kept nowhere.</summary>
    public async Task<string> CreateAsync(string accountId, string? workspaceId, string name)
    {
        var key = Prefix + ids.NewSecret(24);
        var (id, hash) = (ids.NewId().ToString(), Hash(key));
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "INSERT INTO api_keys (id, account_id, workspace_id, name, hash, created_at) VALUES (@id, @accountId, @workspaceId, @name, @hash, @now)",
            new { id, accountId, workspaceId, name, hash, now = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            transaction));
        Remember(hash, new Caller(accountId, id, workspaceId));
        return key;
    }

    /// <summary>Forgets the keys of a workspace that is gone.</summary>
    public void Forget(string workspaceId)
    {
        foreach (var (hash, caller) in _byHash.Where(entry => entry.Value.WorkspaceId == workspaceId))
        {
            _byHash.TryRemove(hash, out _);
            _byId.TryRemove(caller.KeyId, out _);
        }
    }

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private void Remember(string hash, Caller caller) => _byHash[hash] = _byId[caller.KeyId] = caller;

    private sealed record Row
    {
        public string Id { get; init; } = "";

        public string AccountId { get; init; } = "";

        public string? WorkspaceId { get; init; }

        public string Hash { get; init; } = "";
    }
}
