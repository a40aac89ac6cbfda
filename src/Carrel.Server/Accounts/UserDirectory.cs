using System.Collections.Concurrent;
using System.Data.Common;
using Carrel.Contracts;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>All users and their accounts' plans, in memory and in the database; memory changes after the database did.</summary>
internal sealed class UserDirectory(Database database, IIdFactory ids, TimeProvider clock) : IDisposable
{
    public static readonly TimeSpan LinkLifetime = TimeSpan.FromDays(7);

    private const string Select =
        """
        SELECT u.id, u.email, u.name, u.role, u.password, u.disabled, a.plan, u.link_hash AS LinkHash, u.link_expires_at AS LinkExpiresAt,
               u.created_at AS CreatedAt
        FROM users u JOIN accounts a ON a.id = u.id
        """;

    private readonly ConcurrentDictionary<string, User> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, User> _byEmail = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changing = new(1, 1);

    public IEnumerable<User> All => _byId.Values.OrderBy(user => user.CreatedAt).ThenBy(user => user.Id, StringComparer.Ordinal);

    public async Task LoadAsync()
    {
        foreach (var user in await database.ReadAsync(connection => connection.QueryAsync<User>(Select)))
        {
            Remember(user);
        }
    }

    public User? Find(string id) => _byId.GetValueOrDefault(id);

    public User? FindByEmail(string email) => _byEmail.GetValueOrDefault(Normal(email));

    public User? FindByLink(string token)
    {
        var hash = Secrets.Hash(token);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        return _byId.Values.FirstOrDefault(user => user.LinkHash == hash && user.LinkExpiresAt > now && !user.Disabled);
    }

    public bool IsOperator(string id) => Find(id)?.IsOperator == true;

    /// <summary>An account without a user is one from outside the API, and nobody has disabled it.</summary>
    public bool IsDisabled(string id) => Find(id)?.Disabled == true;

    /// <summary>What a person is called in lists and in the audit log.</summary>
    public string? NameOf(string id) => Find(id)?.Email;

    /// <summary>Makes a user with an account of their own.</summary>
    /// <param name="password">Its hash, or null: they set one with a link.</param>
    public async Task<Outcome<User>> CreateAsync(string email, string name, string role, string plan, string? password)
    {
        var user = new User
        {
            Id = ids.NewId().ToString(),
            Email = Normal(email),
            Name = name,
            Role = role,
            Plan = plan,
            Password = password,
            CreatedAt = Now,
        };
        var made = await database.WriteAsync((connection, transaction) => InsertAsync(connection, transaction, user));
        if (!made)
        {
            return new Failure(ErrorCodes.NameTaken, $"A user with the e-mail address {user.Email} already exists.");
        }

        Remember(user);
        return user;
    }

    /// <summary>Changes a user, one change at a time; an operator must remain.</summary>
    public async Task<Outcome<User>> ChangeAsync(string id, Func<User, User> change)
    {
        await _changing.WaitAsync();
        try
        {
            if (Find(id) is not { } before)
            {
                return new Failure(ErrorCodes.NotFound, $"No user {id}.");
            }

            var after = change(before);
            if (before.IsOperator && !after.IsOperator && !_byId.Values.Any(other => other.IsOperator && other.Id != id))
            {
                return new Failure(ErrorCodes.InvalidField, $"{before.Email} is the last operator.", "Make another user an operator first.");
            }

            await database.WriteAsync(async (connection, transaction) =>
            {
                await connection.ExecuteAsync(
                    """
                    UPDATE users SET name = @Name, role = @Role, password = @Password, disabled = @Disabled, link_hash = @LinkHash,
                                     link_expires_at = @LinkExpiresAt, updated_at = @now
                    WHERE id = @Id
                    """,
                    new { after.Id, after.Name, after.Role, after.Password, Disabled = after.Disabled ? 1L : 0L, after.LinkHash, after.LinkExpiresAt, now = Now },
                    transaction);
                return await connection.ExecuteAsync("UPDATE accounts SET plan = @Plan WHERE id = @Id", new { after.Plan, after.Id }, transaction);
            });
            Remember(after);
            return after;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Makes the one-time token with which a user sets a password; any earlier one is void.</summary>
    public async Task<Outcome<(string Token, DateTimeOffset Expires)>> NewLinkAsync(string id)
    {
        var token = ids.NewSecret(24);
        var expires = clock.GetUtcNow() + LinkLifetime;
        var changed = await ChangeAsync(id, user => user with { LinkHash = Secrets.Hash(token), LinkExpiresAt = expires.ToUnixTimeMilliseconds() });
        return changed.Succeeded ? (token, expires) : changed.Failure;
    }

    /// <summary>Makes the installation's first account and its operator.</summary>
    public async Task<string> CreateFirstAsync() => (await CreateAsync("admin@localhost", "admin", User.Operator, Plans.PlanBook.Unlimited, null)).Value.Id;

    public static string Normal(string email) => email.Trim().ToLowerInvariant();

    public void Dispose() => _changing.Dispose();

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private static async Task<bool> InsertAsync(DbConnection connection, DbTransaction transaction, User user)
    {
        await connection.ExecuteAsync(
            "INSERT INTO accounts (id, name, plan, created_at) VALUES (@Id, @Name, @Plan, @CreatedAt)", user, transaction);
        var inserted = await connection.ExecuteAsync(
            """
            INSERT INTO users (id, email, name, role, password, created_at, updated_at)
            VALUES (@Id, @Email, @Name, @Role, @Password, @CreatedAt, @CreatedAt)
            ON CONFLICT DO NOTHING
            """,
            user,
            transaction);
        if (inserted == 0)
        {
            await connection.ExecuteAsync("DELETE FROM accounts WHERE id = @Id", user, transaction);
        }

        return inserted > 0;
    }

    private void Remember(User user) => _byEmail[user.Email] = _byId[user.Id] = user;
}
