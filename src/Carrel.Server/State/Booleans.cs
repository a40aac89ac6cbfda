using System.Data;
using Dapper;

namespace Carrel.Server.State;

/// <summary>Booleans are 0 and 1 in a BIGINT: SQLite has no other, and PostgreSQL takes none there that is not a number.</summary>
internal sealed class Booleans : SqlMapper.TypeHandler<bool>
{
    public static void Register()
    {
        SqlMapper.RemoveTypeMap(typeof(bool));
        SqlMapper.RemoveTypeMap(typeof(bool?));
        SqlMapper.AddTypeHandler(new Booleans());
    }

    public override void SetValue(IDbDataParameter parameter, bool value)
    {
        parameter.DbType = DbType.Int64;
        parameter.Value = value ? 1L : 0L;
    }

    public override bool Parse(object value) => (long)value != 0;
}
