using System.Data.Common;
using Carrel.Contracts;
using Carrel.Server.Hosting;
using Dapper;

namespace Carrel.Server.State;

/// <summary>
/// Moves the state of an installation from its SQLite file into an empty PostgreSQL database, all of it or nothing. The file is kept beside
/// as <c>….moved</c>, so that no server starts on what is no longer true.
/// </summary>
internal static class DatabaseMove
{
    private const int RowsAtOnce = 500;

    public static string Moved(string file) => file + ".moved";

    /// <param name="tell">Takes a line per table.</param>
    /// <returns>How many rows were moved.</returns>
    public static async Task<Outcome<long>> RunAsync(string file, DatabaseAddress.Postgres to, TimeProvider clock, ILogger log, Action<string> tell)
    {
        if (!File.Exists(file))
        {
            return new Failure(ErrorCodes.NotFound, $"There is no SQLite database {file} to move.", "Name the installation with CARREL_DATA.");
        }

        await using var source = new SqliteDatabase(file);
        await using var target = new PostgresDatabase(to);
        var ready = await PrepareAsync(source, clock, log) ?? await PrepareAsync(target, clock, log);
        if (ready is not null)
        {
            return ready;
        }

        var moved = await source.ReadAsync(connection => CopyAsync(connection, target, to, tell));
        if (moved.Succeeded)
        {
            await source.DisposeAsync(); // Which also takes the log of the file in.
            File.Move(file, Moved(file));
        }

        return moved;
    }

    private static async Task<Failure?> PrepareAsync(Database database, TimeProvider clock, ILogger log) =>
        await database.OpenAsync() is { } unusable ? unusable
        : await Migrations.ApplyAsync(database, clock, log) is { Succeeded: false } refused ? refused.Failure
        : null;

    private static Task<Outcome<long>> CopyAsync(DbConnection source, Database target, DatabaseAddress.Postgres to, Action<string> tell) =>
        target.WriteAsync(async (connection, transaction) =>
        {
            if (await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM accounts", transaction: transaction) > 0)
            {
                return (Outcome<long>)new Failure(ErrorCodes.HostNotReady, $"{to} holds the state of an installation already.", "Name an empty database.");
            }

            var moved = 0L;
            foreach (var table in await TablesAsync(source))
            {
                var rows = await CopyTableAsync(source, connection, transaction, table);
                tell($"{table}: {rows} rows");
                moved += rows;
            }

            return moved;
        });

    /// <summary>All tables, each after those that it refers to.</summary>
    private static async Task<IReadOnlyList<string>> TablesAsync(DbConnection source)
    {
        var waiting = (await source.QueryAsync<string>(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations' ORDER BY name")).ToList();
        var ordered = new List<string>();
        while (waiting.Count > 0)
        {
            foreach (var table in waiting.ToList())
            {
                var referred = await source.QueryAsync<string>("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(@table)", new { table });
                if (referred.All(other => other == table || ordered.Contains(other)))
                {
                    ordered.Add(table);
                    waiting.Remove(table);
                }
            }
        }

        return ordered;
    }

    private static async Task<long> CopyTableAsync(DbConnection source, DbConnection target, DbTransaction transaction, string table)
    {
        // A migration may have put rows there by itself; those of the installation count.
        await target.ExecuteAsync($"DELETE FROM {table}", transaction: transaction);
        string? insert = null;
        var count = 0L;
        var rows = source.QueryUnbufferedAsync($"SELECT * FROM {table}").Select(row => (IDictionary<string, object?>)row);
        await foreach (var batch in rows.Chunk(RowsAtOnce))
        {
            insert ??= $"INSERT INTO {table} ({string.Join(", ", batch[0].Keys)}) VALUES ({string.Join(", ", batch[0].Keys.Select(name => "@" + name))})";
            await target.ExecuteAsync(insert, batch.Select(row => new DynamicParameters(row)), transaction);
            count += batch.Length;
        }

        return count;
    }
}
