using System.Globalization;
using System.Reflection;
using Dapper;

namespace Carrel.Server.State;

/// <summary>Numbered SQL files, embedded; each is applied once, in order, in a transaction of its own.</summary>
internal static class Migrations
{
    private const string Folder = "Carrel.Server.State.Migrations.";

    /// <returns>How many were applied.</returns>
    public static async Task<int> ApplyAsync(Database database, TimeProvider clock)
    {
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
            transaction: transaction));
        var applied = await database.WriteAsync((connection, transaction) => connection.ExecuteScalarAsync<long>(
            "SELECT COALESCE(MAX(number), 0) FROM schema_migrations", transaction: transaction));
        var pending = All().Where(migration => migration.Number > applied).ToList();
        foreach (var (number, name, sql) in pending)
        {
            await database.WriteAsync(async (connection, transaction) =>
            {
                await connection.ExecuteAsync(sql, transaction: transaction);
                return await connection.ExecuteAsync(
                    "INSERT INTO schema_migrations (number, name, applied_at) VALUES (@number, @name, @now)",
                    new { number, name, now = clock.GetUtcNow().ToUnixTimeMilliseconds() },
                    transaction);
            });
        }

        return pending.Count;
    }

    internal static IReadOnlyList<(long Number, string Name, string Sql)> All()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                var file = name[Folder.Length..];
                return (long.Parse(file[..4], CultureInfo.InvariantCulture), file, reader.ReadToEnd());
            })];
    }
}
