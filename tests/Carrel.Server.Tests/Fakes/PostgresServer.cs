using System.Diagnostics;
using Carrel.Server.State;
using Dapper;
using Npgsql;
using Xunit;

namespace Carrel.Server.Tests.Fakes;

/// <summary>A real PostgreSQL of this test run's own, on a unix socket in a temporary folder.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    // Ends with whoever holds the other end of its standard input, however that ends.
    private const string Script = """
        set -eu
        bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
        chown postgres "$1"
        [ -d "$1/data" ] || runuser -u postgres -- "$bin/initdb" -D "$1/data" -A trust -E UTF8 --no-sync --locale=C >/dev/null
        runuser -u postgres -- "$bin/postgres" -D "$1/data" -c listen_addresses= -c unix_socket_directories="$1" \
          -c fsync=off -c full_page_writes=off -c max_connections=400 >"$1/log" 2>&1 &
        pid=$!
        read -r how || how=
        runuser -u postgres -- "$bin/pg_ctl" -D "$1/data" -m immediate -s stop || true
        wait "$pid" || true
        [ "$how" = keep ] || rm -rf "$1"
        """;

    private static readonly Lazy<Task<PostgresServer>> Shared = new(StartAsync);
    private readonly string _folder;
    private Process _process;

    private PostgresServer(string folder) => (_folder, _process) = (folder, Run(folder));

    /// <summary>One for the whole run.</summary>
    public static Task<PostgresServer> SharedAsync() => Shared.Value;

    public static async Task<PostgresServer> StartAsync()
    {
        var server = new PostgresServer(Directory.CreateTempSubdirectory("carrel-test-postgres-").FullName);
        await server.AnswersAsync();
        return server;
    }

    /// <summary>A database by that name, made if there is none.</summary>
    public async Task<DatabaseAddress.Postgres> DatabaseAsync(string name)
    {
        await using var connection = await ConnectAsync();
        if (await connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM pg_database WHERE datname = @name", new { name }) == 0)
        {
            await connection.ExecuteAsync($"CREATE DATABASE \"{name}\"");
        }

        return new DatabaseAddress.Postgres(To(name));
    }

    /// <summary>Ends at once and starts again, with its data.</summary>
    public async Task RestartAsync()
    {
        await _process.StandardInput.WriteLineAsync("keep");
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = Run(_folder);
        await AnswersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

#pragma warning disable RS0030 // The runner of the product is the product's; this one ends with its standard input.
    private static Process Run(string folder) => Process.Start(new ProcessStartInfo("bash", ["-c", Script, "bash", folder]) { RedirectStandardInput = true })!;
#pragma warning restore RS0030

    private NpgsqlConnectionStringBuilder To(string database) => new() { Host = _folder, Database = database, Username = "postgres" };

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(To("postgres").ToString()) { Pooling = false }.ToString());
        await connection.OpenAsync();
        return connection;
    }

    private async Task AnswersAsync()
    {
        for (var limit = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                await using var connection = await ConnectAsync();
                return;
            }
            catch (NpgsqlException notYet)
            {
                Assert.True(!_process.HasExited && TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromMinutes(2), notYet.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }
}
