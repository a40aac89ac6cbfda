using System.Data.Common;
using Carrel.Contracts;
using Carrel.Server.State;
using Microsoft.Data.Sqlite;

namespace Carrel.Server.Tests.Simulation;

/// <summary>A server's access to the state, which is an SQLite database in memory that outlives it.</summary>
internal sealed class SimDatabase(SimWorld world, SimServer server) : Database
{
    private const int Busy = 5;

    public override Task<Failure?> OpenAsync() => Task.FromResult<Failure?>(null);

    public override Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work) => work(world.State);

    protected override async ValueTask<DbConnection> WriterAsync()
    {
        switch (await server.ComeToAsync("write", "state"))
        {
            case Fault.Fails or Fault.Throws:
                throw new SqliteException("database is locked", Busy);
            case Fault.FailsLate:
                world.RefuseCommit();
                break;
        }

        return world.State;
    }

    protected override Task<string> CopyAsync(DbConnection writer, long schema) => throw new NotSupportedException();
}
