using System.Data.Common;
using Carrel.Contracts;

namespace Carrel.Server.State;

/// <summary>The one writer and any number of readers of the state. SQL is portable; only what derives from this knows a database system.</summary>
internal abstract class Database : IAsyncDisposable
{
    private readonly SemaphoreSlim _writing = new(1, 1);

    static Database() => Booleans.Register();

    public static Database At(DatabaseAddress address) => address switch
    {
        DatabaseAddress.Sqlite sqlite => new SqliteDatabase(sqlite.File),
        DatabaseAddress.Postgres postgres => new PostgresDatabase(postgres),
        _ => throw new InvalidOperationException($"no database system for {address}"),
    };

    /// <summary>Opens it for this server alone; before anything else. Null, or why it cannot be used.</summary>
    public abstract Task<Failure?> OpenAsync();

    /// <summary>Runs <paramref name="work"/> in a transaction, after the writes before it; committed when it returns.</summary>
    /// <param name="committed">Runs when it is committed, before any later write.</param>
    public async Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, Action<T>? committed = null)
    {
        await _writing.WaitAsync();
        try
        {
            var writer = await WriterAsync();
            await using var transaction = await writer.BeginTransactionAsync();
            var result = await work(writer, transaction);
            await transaction.CommitAsync();
            committed?.Invoke(result);
            return result;
        }
        finally
        {
            _writing.Release();
        }
    }

    public abstract Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work);

    /// <summary>Keeps a copy of everything as it is, before its schema is changed. One that is there already is the older one and stays.</summary>
    /// <returns>Where it is.</returns>
    public async Task<string> KeepCopyAsync(long schema)
    {
        await _writing.WaitAsync();
        try
        {
            return await CopyAsync(await WriterAsync(), schema);
        }
        finally
        {
            _writing.Release();
        }
    }

    public virtual ValueTask DisposeAsync()
    {
        _writing.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The connection that writes; called by one at a time.</summary>
    protected abstract ValueTask<DbConnection> WriterAsync();

    protected abstract Task<string> CopyAsync(DbConnection writer, long schema);
}
