using System.Globalization;
using System.Reflection;
using Carrel.Contracts;
using Carrel.Server.Hosting;
using Dapper;

namespace Carrel.Server.State;

/// <summary>Numbered SQL files, embedded; each is applied once, in order, in a transaction of its own.</summary>
internal static partial class Migrations
{
    private const string Folder = "Carrel.Server.State.Migrations.";

    /// <summary>Brings the schema up to this server's, keeping a copy of what was there before; one that is newer is refused.</summary>
    /// <returns>How many were applied.</returns>
    public static async Task<Outcome<int>> ApplyAsync(Database database, TimeProvider clock, ILogger log)
    {
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
            transaction: transaction));
        var applied = await AppliedAsync(database);
        var newest = All()[^1].Number;
        if (applied > newest)
        {
            return new Failure(
                ErrorCodes.HostNotReady,
                $"The data was last used by a newer Carrel: its schema is number {applied}, and this server ({Health.Version}) knows up to {newest}.",
                "Start the newer version again, or put back the copy that it kept before it changed the schema (docs/operating.md).");
        }

        var pending = All().Where(migration => migration.Number > applied).ToList();
        if (applied > 0 && pending.Count > 0)
        {
            Kept(log, applied, newest, await database.KeepCopyAsync(applied));
        }

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

    /// <summary>Number of the newest migration that was applied; 0 for an empty database.</summary>
    public static Task<long> AppliedAsync(Database database) => database.ReadAsync(connection => connection.ExecuteScalarAsync<long>(
        "SELECT COALESCE(MAX(number), 0) FROM schema_migrations"));

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

    [LoggerMessage(1300, LogLevel.Information, "The schema goes from {Old} to {New}; a copy of the data as it was is kept: {Copy}")]
    private static partial void Kept(ILogger log, long old, long @new, string copy);
}
