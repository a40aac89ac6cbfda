using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Carrel.Server.State;

/// <summary>The one writer and any number of readers of the state. SQL is portable; only this file knows SQLite.</summary>
internal sealed class Database : IDisposable
{
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SqliteConnection _writer;
    private readonly string _reader;

    static Database() => SQLitePCL.Batteries_V2.Init();

    public Database(string path)
    {
        _writer = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, ForeignKeys = true, Pooling = false }.ToString());
        _reader = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly }.ToString();
        _writer.Open();
        // NORMAL: a commit survives the death of the process; only a power cut may lose the newest ones, never the whole.
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = NORMAL");
    }

    /// <summary>Runs <paramref name="work"/> in a transaction, after the writes before it; committed when it returns.</summary>
    public async Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work)
    {
        await _writing.WaitAsync();
        try
        {
            await using var transaction = await _writer.BeginTransactionAsync();
            var result = await work(_writer, transaction);
            await transaction.CommitAsync();
            return result;
        }
        finally
        {
            _writing.Release();
        }
    }

    public async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work)
    {
        await using var connection = new SqliteConnection(_reader);
        await connection.OpenAsync();
        return await work(connection);
    }

    public void Dispose()
    {
        _writer.Dispose();
        using var reader = new SqliteConnection(_reader);
        SqliteConnection.ClearPool(reader);
        _writing.Dispose();
    }

    private void Execute(string pragma)
    {
        using var command = _writer.CreateCommand();
        command.CommandText = pragma;
        command.ExecuteNonQuery();
    }
}
