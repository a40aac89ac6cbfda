using Carrel.Contracts;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Carrel.Server.Tests;

/// <summary>What only the system that keeps the state decides. Everything else runs on both: <c>CARREL_TEST_STORE=postgres</c>.</summary>
public sealed class DatabaseTests
{
    [Theory]
    [InlineData("postgresql://ann:p%40ss%2Fword@db.example:5433/carrel?sslmode=require", "ann", "p@ss/word", "db.example", 5433, "carrel")]
    [InlineData("postgres://ann@db.example/carrel", "ann", null, "db.example", 5432, "carrel")]
    [InlineData("Host=/run/postgresql;Database=carrel;Username=ann;Password=secret word", "ann", "secret word", "/run/postgresql", 5432, "carrel")]
    public void A_postgresql_address_is_read_and_shown_without_its_password(string text, string user, string? password, string host, int port, string database)
    {
        var address = Assert.IsType<DatabaseAddress.Postgres>(DatabaseAddress.Parse(text).Value);

        var connection = address.Connection;
        Assert.Equal((user, password, host, port, database), (connection.Username, connection.Password, connection.Host, connection.Port, connection.Database));
        Assert.Equal($"postgresql://{user}@{host}:{port}/{database}", address.ToString());
    }

    [Theory]
    [InlineData("postgresql://ann:secret@db.example")]
    [InlineData("postgresql://ann:secret@db.example/carrel?no_such_option=1")]
    [InlineData("postgresql://ann:secret@db.example:99999/carrel")]
    [InlineData("Host=db.example;Password=secret")]
    public void One_that_makes_no_sense_is_refused_without_showing_the_password(string text)
    {
        var refused = DatabaseAddress.Parse(text);

        Assert.False(refused.Succeeded);
        Assert.Contains("CARREL_DATABASE", refused.Failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Anything_else_is_a_file() => Assert.Equal(new DatabaseAddress.Sqlite("/data/carrel.db"), DatabaseAddress.Parse("/data/carrel.db").Value);

    [Fact]
    public async Task Data_of_a_newer_version_is_refused_and_left_as_it_is()
    {
        await using var world = new FakeWorld();
        await using var server = await RunningServer.StartAsync(world);
        var newest = Migrations.All()[^1].Number;
        await server.Get<Database>().WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "INSERT INTO schema_migrations (number, name, applied_at) VALUES (@number, 'later', 0)", new { number = newest + 2 }, transaction));
        await server.StopAsync();

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RunningServer.StartAsync(world, server.Data));

        Assert.Equal(ErrorCodes.HostNotReady, refused.Failure.Code);
        Assert.Contains($"its schema is number {newest + 2}, and this server", refused.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", refused.Failure.Remedy!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_schema_is_brought_forward_and_a_copy_of_the_data_is_kept()
    {
        await using var world = new FakeWorld();
        await using var server = await RunningServer.StartAsync(world);
        await server.WorkspaceAsync("kept");
        await server.StopAsync();
        await using var database = Database.At(await Store.ForAsync(server.Data));
        Assert.Null(await database.OpenAsync());
        var newest = Migrations.All()[^1].Number;
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            DELETE FROM schema_migrations WHERE number > 1;
            CREATE TABLE old_table (id TEXT PRIMARY KEY);
            INSERT INTO old_table (id) VALUES ('old');
            """,
            transaction: transaction));

        var copy = await database.KeepCopyAsync(1);
        Assert.Equal(copy, await database.KeepCopyAsync(1));

        await using var kept = await OpenCopyAsync(server.Data, copy);
        Assert.Equal(1, await Migrations.AppliedAsync(kept));
        Assert.Equal("kept", await kept.ReadAsync(connection => connection.QuerySingleAsync<string>("SELECT name FROM workspaces")));
        Assert.Equal("old", await kept.ReadAsync(connection => connection.QuerySingleAsync<string>("SELECT id FROM old_table")));
        Assert.NotEqual(1, newest);
    }

    [Fact]
    public async Task A_database_of_the_first_version_is_brought_forward_with_what_it_holds()
    {
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        await using (var old = Database.At(await Store.ForAsync(data)))
        {
            Assert.Null(await old.OpenAsync());
            await old.WriteAsync((connection, transaction) => connection.ExecuteAsync(
                $"""
                CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL);
                {Migrations.All()[0].Sql}
                INSERT INTO schema_migrations (number, name, applied_at) VALUES (1, '0001_initial.sql', 1);
                INSERT INTO accounts (id, name, created_at) VALUES ('5b1ea3b2-6b7a-4ec8-9c1a-0a8f4c7e0001', 'admin', 1);
                INSERT INTO workspaces (id, account_id, name, status, created_at, updated_at)
                VALUES ('5b1ea3b2-6b7a-4ec8-9c1a-0a8f4c7e0002', '5b1ea3b2-6b7a-4ec8-9c1a-0a8f4c7e0001', 'old', 'active', 1, 1);
                """,
                transaction: transaction));
        }

        await using var server = await RunningServer.StartAsync(data: data);

        Assert.Equal("old", (await server.GetAsync("/api/workspaces/5b1ea3b2-6b7a-4ec8-9c1a-0a8f4c7e0002")).Expect(200).Text("name"));
        Assert.Equal(0, (await Migrations.ApplyAsync(server.Get<Database>(), TimeProvider.System, NullLogger.Instance)).Value);
    }

    [Fact]
    public async Task An_installation_on_sqlite_moves_to_postgresql_and_goes_on_there()
    {
        await using var world = new FakeWorld();
        var data = Directory.CreateTempSubdirectory("carrel-test-").FullName;
        var file = Path.Combine(data, "carrel.db");
        await using var first = await RunningServer.StartAsync(world, data, settings => settings with { Database = new DatabaseAddress.Sqlite(file) });
        var (id, machine) = await first.ComputerAsync();
        await first.StopAsync();
        var target = await (await PostgresServer.SharedAsync()).DatabaseAsync("moved_" + Path.GetFileName(data));
        var told = new List<string>();

        Assert.True((await DatabaseMove.RunAsync(file, target, TimeProvider.System, NullLogger.Instance, told.Add)).Succeeded);

        Assert.Contains("computers: 1 rows", told);
        Assert.Contains("api_keys: 1 rows", told);
        await using (var second = await RunningServer.StartAsync(world, data, settings => settings with { Database = target }))
        {
            Assert.Equal(first.Key, second.Key);
            Assert.Equal("running", await second.StatusAsync(id));
            Assert.Equal(machine.Identity!.VncPassword, (await second.GetAsync($"/api/computers/{id}/vnc-password")).Expect(200).Text("password"));
            await second.StopAsync();
            var refused = await Assert.ThrowsAsync<StartRefusedException>(
                () => RunningServer.StartAsync(world, data, settings => settings with { Database = new DatabaseAddress.Sqlite(file) }));
            Assert.Contains("was moved", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_move_to_a_database_in_use_by_an_installation_changes_nothing()
    {
        var target = await (await PostgresServer.SharedAsync()).DatabaseAsync("not_empty");
        await using (var owner = await RunningServer.StartAsync(change: settings => settings with { Database = target }))
        {
        }

        await using var other = await RunningServer.StartAsync(change: settings => settings with { Database = new DatabaseAddress.Sqlite(Path.Combine(settings.Data, "carrel.db")) });
        await other.StopAsync();
        var file = Path.Combine(other.Data, "carrel.db");

        var refused = await DatabaseMove.RunAsync(file, target, TimeProvider.System, NullLogger.Instance, _ => { });

        Assert.Contains("already", refused.Failure!.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_with_its_name()
    {
        var folder = Directory.CreateTempSubdirectory("carrel-test-");
        var file = Path.Combine(folder.FullName, "carrel.db");
        await File.WriteAllTextAsync(file, new string('x', 5000), TestContext.Current.CancellationToken);
        await using var database = Database.At(new DatabaseAddress.Sqlite(file));

        var refused = await database.OpenAsync();

        Assert.Contains(file, refused!.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_postgresql_database_is_one_servers()
    {
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync("one_servers");
        await using var first = Database.At(address);
        await using var second = Database.At(address);

        Assert.Null(await first.OpenAsync());
        Assert.Contains("in use by another server", (await second.OpenAsync())!.Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        Assert.Null(await second.OpenAsync());
    }

    [Fact]
    public async Task A_server_goes_on_when_postgresql_was_restarted()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var address = await postgres.DatabaseAsync("restarted");
        await using var server = await RunningServer.StartAsync(change: settings => settings with { Database = address });
        var (id, _) = await server.ComputerAsync();

        await postgres.RestartAsync();

        (await server.PostAsync($"/api/computers/{id}/stop")).Expect(200);
        Assert.Equal("stopped", await server.StatusAsync(id));
        Assert.Equal("ws-hello", (await server.GetAsync("/api/workspaces")).Expect(200).Json.GetProperty("workspaces")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Readiness_is_tried_and_not_remembered()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.GetAsync("/readyz", server.Anonymous)).Expect(200);
        var (begun, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        var stuck = server.Get<Database>().WriteAsync(async (_, _) =>
        {
            begun.SetResult();
            await ended.Task;
            return true;
        });
        await begun.Task;

        var refused = (await server.GetAsync("/readyz", server.Anonymous)).Expect(503).Json;

        Assert.False(refused.GetProperty("ready").GetBoolean());
        Assert.Equal(("ok", "ok"), (refused.GetProperty("checks").GetProperty("takeover").GetString(), refused.GetProperty("checks").GetProperty("disk").GetString()));
        Assert.Contains("longer", refused.GetProperty("checks").GetProperty("database").GetString(), StringComparison.Ordinal);
        ended.SetResult();
        await stuck;
        (await server.GetAsync("/readyz", server.Anonymous)).Expect(200);
    }

    [Fact]
    public async Task A_postgresql_that_is_not_there_is_named_without_the_password()
    {
        await using var database = Database.At(DatabaseAddress.Parse("postgresql://ann:secret@127.0.0.1:1/carrel").Value);

        var refused = await database.OpenAsync();

        Assert.Contains("postgresql://ann@127.0.0.1:1/carrel", refused!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The copy, opened as a database: another file, or another schema.</summary>
    private static async Task<Database> OpenCopyAsync(string data, string copy)
    {
        var address = await Store.ForAsync(data);
        var database = Database.At(address is DatabaseAddress.Postgres { Connection: var connection }
            ? new DatabaseAddress.Postgres(new(connection.ToString()) { SearchPath = copy.Split(' ')[2], ApplicationName = "copy" })
            : new DatabaseAddress.Sqlite(copy));
        if (address is DatabaseAddress.Sqlite)
        {
            Assert.Null(await database.OpenAsync());
        }

        return database;
    }
}
