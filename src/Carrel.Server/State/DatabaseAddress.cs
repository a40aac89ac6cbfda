using Carrel.Contracts;
using Npgsql;

namespace Carrel.Server.State;

/// <summary>Where the state is: the path of an SQLite file, or a PostgreSQL database.</summary>
internal abstract record DatabaseAddress
{
    private const string Url = "postgresql://user:password@host:5432/database";

    /// <summary>A path, <c>postgresql://user:password@host:port/database?option=value</c>, or <c>Host=…;Database=…</c>.</summary>
    public static Outcome<DatabaseAddress> Parse(string text)
    {
        var isUrl = text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);
        if (!isUrl && !text.StartsWith("Host=", StringComparison.OrdinalIgnoreCase))
        {
            return new Sqlite(Path.GetFullPath(text));
        }

        try
        {
            var connection = isUrl ? FromUrl(new Uri(text)) : new NpgsqlConnectionStringBuilder(text);
            return string.IsNullOrEmpty(connection.Database)
                ? new Failure(ErrorCodes.InvalidField, "The setting database (CARREL_DATABASE) names no database.", $"It looks like {Url}.")
                : new Postgres(connection);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException or InvalidCastException)
        {
            // The value is not repeated: it may hold a password.
            return new Failure(ErrorCodes.InvalidField, $"The setting database (CARREL_DATABASE) cannot be read: {unreadable.Message}", $"It looks like {Url}.");
        }
    }

    private static NpgsqlConnectionStringBuilder FromUrl(Uri url)
    {
        var user = url.UserInfo.Split(':', 2);
        var connection = new NpgsqlConnectionStringBuilder { Host = url.Host, Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')) };
        if (url.Port > 0)
        {
            connection.Port = url.Port;
        }

        if (user[0].Length > 0)
        {
            connection.Username = Uri.UnescapeDataString(user[0]);
        }

        if (user.Length > 1)
        {
            connection.Password = Uri.UnescapeDataString(user[1]);
        }

        foreach (var option in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            // libpq's names for the two that are most used in such URLs; the others are Npgsql's.
            var (name, value) = option.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (option, "");
            connection[name switch { "sslmode" => "SSL Mode", "sslrootcert" => "Root Certificate", _ => name }] = value;
        }

        return connection;
    }

    internal sealed record Sqlite(string File) : DatabaseAddress
    {
        public override string ToString() => File;
    }

    internal sealed record Postgres(NpgsqlConnectionStringBuilder Connection) : DatabaseAddress
    {
        /// <summary>Without the password: it is printed and logged.</summary>
        public override string ToString() => $"postgresql://{Connection.Username}@{Connection.Host}:{Connection.Port}/{Connection.Database}";
    }
}
