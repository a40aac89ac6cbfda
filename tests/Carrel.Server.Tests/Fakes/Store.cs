using Carrel.Server.State;

namespace Carrel.Server.Tests.Fakes;

/// <summary>Which database system the servers of this run keep their state in: SQLite, or with <c>CARREL_TEST_STORE=postgres</c> PostgreSQL.</summary>
internal static class Store
{
    private static readonly bool IsPostgres = Environment.GetEnvironmentVariable("CARREL_TEST_STORE") == "postgres";

    /// <summary>The state that belongs to a data folder: the same for every server on it.</summary>
    public static async Task<DatabaseAddress> ForAsync(string data) => IsPostgres
        ? await (await PostgresServer.SharedAsync()).DatabaseAsync(Path.GetFileName(data.TrimEnd('/')))
        : new DatabaseAddress.Sqlite(Path.Combine(data, "carrel.db"));
}
