using System.Data;
using System.Data.Common;
using Carrel.Contracts;
using Dapper;
using Npgsql;

namespace Carrel.Server.State;

/// <summary>
/// The state in a PostgreSQL database. Its writer holds an advisory lock for as long as the server lives, so that no two servers
/// carry out the transitions of the same computers.
/// </summary>
internal sealed class PostgresDatabase(DatabaseAddress.Postgres address) : Database
{
    private const long Lock = 0x6361_7272_656C; // "carrel"; locks are told apart by database.
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(address.Connection);
    private NpgsqlConnection? _writer;

    public override async Task<Failure?> OpenAsync()
    {
        try
        {
            await WriterAsync();
            return null;
        }
        catch (NpgsqlException unusable)
        {
            return new Failure(
                ErrorCodes.HostNotReady,
                $"The database {address} cannot be used: {unusable.Message}",
                "See that PostgreSQL runs, that the database exists and that its user may make tables in it.");
        }
        catch (InUseException)
        {
            return new Failure(
                ErrorCodes.HostNotReady,
                $"The database {address} is in use by another server.",
                "Stop that server, or give this one a database of its own (CARREL_DATABASE).");
        }
    }

    public override async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync();
            return await work(connection);
        }
        catch (NpgsqlException broken) when (broken is not PostgresException || broken.IsTransient)
        {
            // A pooled connection does not know that PostgreSQL was restarted. To read once more changes nothing.
            _source.Clear();
            await using var connection = await _source.OpenConnectionAsync();
            return await work(connection);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        await _source.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>Asked before it is used, as it does not notice by itself that PostgreSQL was restarted.</summary>
    protected override async ValueTask<DbConnection> WriterAsync()
    {
        if (_writer is { State: ConnectionState.Open } writer)
        {
            try
            {
                await writer.ExecuteAsync("SELECT 1");
                return writer;
            }
            catch (NpgsqlException)
            {
                // Then there is a new one, or that fails and says why.
            }
        }

        if (_writer is not null)
        {
            await _writer.DisposeAsync();
            _writer = null;
        }

        var opened = await _source.OpenConnectionAsync();
        try
        {
            // PostgreSQL takes a moment to see that a server which was killed is gone.
            await opened.ExecuteAsync($"SET lock_timeout = '5s'; SELECT pg_advisory_lock({Lock}); RESET lock_timeout");
            return _writer = opened;
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await opened.DisposeAsync();
            throw new InUseException(address);
        }
    }

    /// <summary>The tables, in a schema of their own.</summary>
    protected override async Task<string> CopyAsync(DbConnection writer, long schema)
    {
        var copy = $"carrel_schema_{schema}";
        await using var transaction = await writer.BeginTransactionAsync();
        if (await writer.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = @copy", new { copy }, transaction) == 0)
        {
            await writer.ExecuteAsync($"CREATE SCHEMA {copy}", transaction: transaction);
            foreach (var table in await writer.QueryAsync<string>("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()", transaction: transaction))
            {
                await writer.ExecuteAsync($"CREATE TABLE {copy}.{table} AS TABLE {table}", transaction: transaction);
            }
        }

        await transaction.CommitAsync();
        return $"the schema {copy} of {address}";
    }

    private sealed class InUseException(DatabaseAddress address) : InvalidOperationException($"the database {address} is in use by another server");
}
