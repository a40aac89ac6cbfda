using System.Collections.Concurrent;
using Carrel.Server.Hosting;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>A row of <c>sessions</c>; times are Unix milliseconds.</summary>
internal sealed class Session
{
    private long _lastUsed;

    public string Id { get; init; } = "";

    public string Hash { get; init; } = "";

    public string AccountId { get; init; } = "";

    /// <summary>The key it was begun with; null where it was a password.</summary>
    public string? KeyId { get; init; }

    public string Address { get; init; } = "";

    public string Agent { get; init; } = "";

    public long CreatedAt { get; init; }

    public long LastUsedAt { get => Volatile.Read(ref _lastUsed); init => _lastUsed = value; }

    public long ExpiresAt { get; init; }

    /// <summary>What the database knows of <see cref="LastUsedAt"/>.</summary>
    public long Written { get; set; }

    /// <summary>As which it speaks; of a session begun with a key, that key's caller.</summary>
    public Caller? Caller { get; set; }

    public void Used(long now) => Volatile.Write(ref _lastUsed, now);
}

/// <summary>
/// Browser sessions: a random cookie, kept as its hash, in memory and in the database. They end when they are not used for a while, at
/// a certain age, and with the key or the user they belong to.
/// </summary>
internal sealed class Sessions(Database database, KeyRing keys, UserDirectory users, Settings settings, IIdFactory ids, TimeProvider clock)
{
    public const string Cookie = "carrel_session";
    private const int MostAgent = 200;
    private readonly ConcurrentDictionary<string, Session> _byHash = new(StringComparer.Ordinal);

    public TimeSpan Lifetime => settings.SessionLifetime;

    public async Task LoadAsync()
    {
        var sessions = await database.ReadAsync(connection => connection.QueryAsync<Session>(
            """
            SELECT id, hash, account_id AS AccountId, key_id AS KeyId, address, agent, created_at AS CreatedAt, last_used_at AS LastUsedAt,
                   expires_at AS ExpiresAt
            FROM sessions
            """));
        foreach (var session in sessions)
        {
            session.Written = session.LastUsedAt;
            _byHash[session.Hash] = session;
        }
    }

    /// <summary>Begins a session and returns its cookie.</summary>
    /// <param name="key">The key it is begun with; null where it was a password.</param>
    public async Task<(Session Session, string Cookie)> BeginAsync(string accountId, Caller? key, HttpRequest request)
    {
        var cookie = ids.NewSecret(24);
        var now = Now;
        var session = new Session
        {
            Id = ids.NewId().ToString(),
            Hash = Secrets.Hash(cookie),
            AccountId = accountId,
            KeyId = key?.KeyId,
            Address = AddressOf(request.HttpContext),
            Agent = request.Headers.UserAgent.ToString() is var agent && agent.Length > MostAgent ? agent[..MostAgent] : agent,
            CreatedAt = now,
            LastUsedAt = now,
            ExpiresAt = now + (long)settings.SessionLifetime.TotalMilliseconds,
            Written = now,
        };
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            INSERT INTO sessions (id, hash, account_id, key_id, address, agent, created_at, last_used_at, expires_at)
            VALUES (@Id, @Hash, @AccountId, @KeyId, @Address, @Agent, @CreatedAt, @LastUsedAt, @ExpiresAt)
            """,
            session,
            transaction));
        _byHash[session.Hash] = session;
        return (session, cookie);
    }

    /// <summary>The session's caller; null where there is none of that cookie, or it has ended.</summary>
    public Caller? Find(string cookie) => _byHash.TryGetValue(Secrets.Hash(cookie), out var session) ? CallerOf(session) : null;

    public IReadOnlyList<Session> Of(string accountId) =>
        [.. _byHash.Values.Where(session => session.AccountId == accountId && IsAlive(session, Now)).OrderByDescending(session => session.LastUsedAt)];

    public async Task<bool> EndAsync(string accountId, string id)
    {
        var ended = _byHash.Values.Where(session => session.AccountId == accountId && session.Id == id).ToList();
        await ForgetAsync(ended);
        return ended.Count > 0;
    }

    /// <summary>Ends all sessions of a user, or all but one.</summary>
    public Task EndAllAsync(string accountId, string? butId = null) =>
        ForgetAsync([.. _byHash.Values.Where(session => session.AccountId == accountId && session.Id != butId)]);

    /// <summary>Writes down when sessions were last used, and forgets those that have ended.</summary>
    public async Task<int> FlushAsync()
    {
        var now = Now;
        var used = _byHash.Values.Select(session => (Session: session, session.LastUsedAt)).Where(use => use.LastUsedAt != use.Session.Written).ToList();
        if (used.Count > 0)
        {
            await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
                "UPDATE sessions SET last_used_at = @LastUsedAt WHERE id = @Id", used.Select(use => new { use.Session.Id, use.LastUsedAt }), transaction));
            foreach (var (session, at) in used)
            {
                session.Written = at;
            }
        }

        await ForgetAsync([.. _byHash.Values.Where(session => !IsAlive(session, now))]);
        return used.Count;
    }

    public static string AddressOf(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private Caller? CallerOf(Session session)
    {
        var now = Now;
        if (!IsAlive(session, now))
        {
            return null;
        }

        session.Used(now);
        return session.Caller ??= session.KeyId is { } keyId
            ? keys.FindById(keyId) is { } caller ? caller with { SessionId = session.Id } : null
            : new Caller(session.AccountId, session.Id, null, session.Id);
    }

    private bool IsAlive(Session session, long now) =>
        session.ExpiresAt > now
        && session.LastUsedAt + (long)settings.SessionIdle.TotalMilliseconds > now
        && !users.IsDisabled(session.AccountId)
        && (session.KeyId is null || keys.FindById(session.KeyId) is not null);

    private async Task ForgetAsync(List<Session> ended)
    {
        if (ended.Count == 0)
        {
            return;
        }

        foreach (var session in ended)
        {
            _byHash.TryRemove(session.Hash, out _);
        }

        await database.WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("DELETE FROM sessions WHERE id = @Id", ended.Select(session => new { session.Id }), transaction));
    }
}
