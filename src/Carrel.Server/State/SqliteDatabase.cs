using System.Data.Common;
using Carrel.Contracts;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Carrel.Server.State;

/// <summary>The state in an SQLite file.</summary>
internal sealed class SqliteDatabase(string path) : Database
{
    private readonly SqliteConnection _writer = new(
        new SqliteConnectionStringBuilder { DataSource = path, ForeignKeys = true, Pooling = false }.ToString());

    private readonly string _reader = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly }.ToString();

    static SqliteDatabase() => SQLitePCL.Batteries_V2.Init();

    public override async Task<Failure?> OpenAsync()
    {
        if (!File.Exists(path) && File.Exists(DatabaseMove.Moved(path)))
        {
            return new Failure(
                ErrorCodes.HostNotReady,
                $"The state of this installation was moved from {path} to PostgreSQL.",
                $"Set CARREL_DATABASE to that database; to go back to the file as it was then, rename {DatabaseMove.Moved(path)}.");
        }

        try
        {
            await _writer.OpenAsync();
            // NORMAL: a commit survives the death of the process; only a power cut may lose the newest ones, never the whole.
            await _writer.ExecuteAsync("PRAGMA journal_mode = WAL");
            await _writer.ExecuteAsync("PRAGMA synchronous = NORMAL");
            return null;
        }
        catch (SqliteException unusable)
        {
            return new Failure(
                ErrorCodes.HostNotReady,
                $"The database {path} cannot be opened: {unusable.Message}",
                "If it is damaged, stop the server and put back a backup, or a copy kept before an upgrade (docs/operating.md).");
        }
    }

    public override async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work)
    {
        await using var connection = new SqliteConnection(_reader);
        await connection.OpenAsync();
        return await work(connection);
    }

    public override async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await using var reader = new SqliteConnection(_reader);
        SqliteConnection.ClearPool(reader);
        await base.DisposeAsync();
    }

    protected override ValueTask<DbConnection> WriterAsync() => new(_writer);

    protected override async Task<string> CopyAsync(DbConnection writer, long schema)
    {
        var copy = $"{path}.schema-{schema}";
        if (!File.Exists(copy))
        {
            var draft = copy + ".partial";
            File.Delete(draft);
            await writer.ExecuteAsync("VACUUM INTO @draft", new { draft });
            File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(draft, copy);
        }

        return copy;
    }
}
