using System.Collections.Concurrent;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>A row of <c>api_keys</c>; times are Unix milliseconds.</summary>
internal sealed class ApiKey
{
    private long _lastUsed;

    public string Id { get; init; } = "";

    public string AccountId { get; init; } = "";

    public string? WorkspaceId { get; init; }

    public string Name { get; init; } = "";

    public string Prefix { get; init; } = "";

    public string Hash { get; init; } = "";

    public long CreatedAt { get; init; }

    public long? ExpiresAt { get; init; }

    public long? LastUsedAt
    {
        get => Volatile.Read(ref _lastUsed) is > 0 and var at ? at : null;
        init => _lastUsed = value ?? 0;
    }

    /// <summary>What the database knows of <see cref="LastUsedAt"/>.</summary>
    public long? Written { get; set; }

    public Caller Caller => field ??= new Caller(AccountId, Id, WorkspaceId);

    public void Used(long now) => Volatile.Write(ref _lastUsed, now);
}

/// <summary>
/// All keys in use, by hash, in memory: a request costs one SHA-256 and one look-up. Looking up by the hash of what was
/// presented tells an attacker's stopwatch nothing about a key. When a key was last used is written now and then.
/// </summary>
internal sealed class KeyRing(Database database, UserDirectory users, IIdFactory ids, TimeProvider clock)
{
    public const string Prefix = "sk_live_";
    private const int ShownCharacters = 12;
    private readonly ConcurrentDictionary<string, ApiKey> _byHash = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ApiKey> _byId = new(StringComparer.Ordinal);

    public IEnumerable<ApiKey> All => _byId.Values;

    public async Task LoadAsync()
    {
        var keys = await database.ReadAsync(connection => connection.QueryAsync<ApiKey>(
            """
            SELECT id, account_id AS AccountId, workspace_id AS WorkspaceId, name, prefix, hash, created_at AS CreatedAt, expires_at AS ExpiresAt,
                   last_used_at AS LastUsedAt
            FROM api_keys WHERE revoked_at IS NULL
            """));
        foreach (var key in keys)
        {
            key.Written = key.LastUsedAt;
            Remember(key);
        }
    }

    public Caller? Find(string key)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal) || key.Length > 200)
        {
            return null;
        }

        return _byHash.TryGetValue(Secrets.Hash(key), out var known) ? InUse(known) : null;
    }

    public Caller? FindById(string keyId) => _byId.TryGetValue(keyId, out var known) ? InUse(known) : null;

    public ApiKey? Key(string keyId) => _byId.GetValueOrDefault(keyId);

    /// <summary>Makes a key and returns its plaintext, which is kept nowhere.</summary>
    public async Task<string> CreateAsync(string accountId, string? workspaceId, string name) => (await MakeAsync(accountId, workspaceId, name, null)).Plaintext;

    public async Task<(ApiKey Key, string Plaintext)> MakeAsync(string accountId, string? workspaceId, string name, DateTimeOffset? expires)
    {
        var plaintext = Prefix + ids.NewSecret(24);
        var key = new ApiKey
        {
            Id = ids.NewId().ToString(),
            AccountId = accountId,
            WorkspaceId = workspaceId,
            Name = name,
            Prefix = plaintext[..ShownCharacters],
            Hash = Secrets.Hash(plaintext),
            CreatedAt = clock.GetUtcNow().ToUnixTimeMilliseconds(),
            ExpiresAt = expires?.ToUnixTimeMilliseconds(),
        };
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            INSERT INTO api_keys (id, account_id, workspace_id, name, prefix, hash, created_at, expires_at)
            VALUES (@Id, @AccountId, @WorkspaceId, @Name, @Prefix, @Hash, @CreatedAt, @ExpiresAt)
            """,
            key,
            transaction));
        Remember(key);
        return (key, plaintext);
    }

    /// <summary>Ends a key at once, and with it the sessions begun with it.</summary>
    public async Task RevokeAsync(ApiKey key)
    {
        Forget(key);
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "UPDATE api_keys SET revoked_at = @now WHERE id = @Id", new { key.Id, now = clock.GetUtcNow().ToUnixTimeMilliseconds() }, transaction));
    }

    /// <summary>Forgets the keys of a workspace that is gone.</summary>
    public void Forget(string workspaceId)
    {
        foreach (var key in _byHash.Values.Where(key => key.WorkspaceId == workspaceId))
        {
            Forget(key);
        }
    }

    /// <summary>Writes down when keys were last used.</summary>
    public async Task<int> FlushAsync()
    {
        var used = _byId.Values.Select(key => (Key: key, key.LastUsedAt)).Where(use => use.LastUsedAt != use.Key.Written).ToList();
        if (used.Count == 0)
        {
            return 0;
        }

        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "UPDATE api_keys SET last_used_at = @LastUsedAt WHERE id = @Id", used.Select(use => new { use.Key.Id, use.LastUsedAt }), transaction));
        foreach (var (key, at) in used)
        {
            key.Written = at;
        }

        return used.Count;
    }

    private Caller? InUse(ApiKey key)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (key.ExpiresAt <= now || users.IsDisabled(key.AccountId))
        {
            return null;
        }

        key.Used(now);
        return key.Caller;
    }

    private void Remember(ApiKey key) => _byHash[key.Hash] = _byId[key.Id] = key;

    private void Forget(ApiKey key)
    {
        _byHash.TryRemove(key.Hash, out _);
        _byId.TryRemove(key.Id, out _);
    }
}
