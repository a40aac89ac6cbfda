using System.Text.Json;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Idempotency;

/// <summary>An answer, as it is kept. The body may hold a computer's secrets, so it is encrypted.</summary>
internal sealed record KeptAnswer(int Status, string? ContentType, string? Location, byte[] Body);

/// <summary>What is known of a key.</summary>
/// <param name="Request">Hash of what was asked with it.</param>
/// <param name="Made">What that request makes, where it got so far.</param>
internal sealed record KnownKey(string Request, string? Made, KeptAnswer? Answer);

/// <summary>Keys and their answers in the database, for a day.</summary>
internal sealed class IdempotencyStore(Database database, SecretBox secrets, TimeProvider clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>Writes the key down, or finds what it was used for.</summary>
    /// <returns>Null where it is new.</returns>
    public Task<KnownKey?> ClaimAsync(string caller, string key, string request) => database.WriteAsync(async (connection, transaction) =>
    {
        var now = clock.GetUtcNow();
        await connection.ExecuteAsync(
            "DELETE FROM idempotency_keys WHERE caller = @caller AND name = @key AND created_at < @before",
            new { caller, key, before = (now - Kept).ToUnixTimeMilliseconds() },
            transaction);
        var inserted = await connection.ExecuteAsync(
            "INSERT INTO idempotency_keys (caller, name, request, created_at) VALUES (@caller, @key, @request, @now) ON CONFLICT DO NOTHING",
            new { caller, key, request, now = now.ToUnixTimeMilliseconds() },
            transaction);
        if (inserted > 0)
        {
            return null;
        }

        var row = await connection.QuerySingleAsync<Row>(
            "SELECT request, made, answer FROM idempotency_keys WHERE caller = @caller AND name = @key", new { caller, key }, transaction);
        return new KnownKey(row.Request, row.Made, row.Answer is { } box ? JsonSerializer.Deserialize<KeptAnswer>(secrets.Open(box)) : null);
    });

    /// <summary>Writes down what the request is about to make.</summary>
    public Task WillMakeAsync(string caller, string key, string id) => database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        "UPDATE idempotency_keys SET made = @id WHERE caller = @caller AND name = @key", new { caller, key, id }, transaction));

    public Task KeepAsync(string caller, string key, KeptAnswer answer) => database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        "UPDATE idempotency_keys SET answer = @answer WHERE caller = @caller AND name = @key",
        new { caller, key, answer = secrets.Seal(JsonSerializer.Serialize(answer)) },
        transaction));

    /// <summary>The key may be used again, for anything.</summary>
    public Task ForgetAsync(string caller, string key) => database.WriteAsync((connection, transaction) =>
        connection.ExecuteAsync("DELETE FROM idempotency_keys WHERE caller = @caller AND name = @key", new { caller, key }, transaction));

    public Task<int> SweepAsync() => database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
        "DELETE FROM idempotency_keys WHERE created_at < @before", new { before = (clock.GetUtcNow() - Kept).ToUnixTimeMilliseconds() }, transaction));

    private sealed class Row
    {
        public string Request { get; init; } = "";

        public string? Made { get; init; }

        public string? Answer { get; init; }
    }
}
