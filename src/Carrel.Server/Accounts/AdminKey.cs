using Carrel.Server.Hosting;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>Makes the first account and its key, which only the data folder's owner can read.</summary>
internal sealed partial class AdminKey(Database database, KeyRing keys, DataFolder folder, IIdFactory ids, TimeProvider clock, ILogger<AdminKey> log)
{
    public async Task EnsureAsync()
    {
        await keys.LoadAsync();
        var account = await database.ReadAsync(connection => connection.QueryFirstOrDefaultAsync<string>("SELECT id FROM accounts ORDER BY created_at"))
            ?? await CreateAccountAsync();

        // A crash between the two writes, or a lost file, leaves no usable key behind: make another, the old one does no harm.
        if (!File.Exists(folder.AdminKeyFile) || keys.Find((await File.ReadAllTextAsync(folder.AdminKeyFile)).Trim()) is null)
        {
            DataFolder.WriteSecret(folder.AdminKeyFile, await keys.CreateAsync(account, null, "admin"));
            Written(log, folder.AdminKeyFile);
        }
    }

    private async Task<string> CreateAccountAsync()
    {
        var id = ids.NewId().ToString();
        await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "INSERT INTO accounts (id, name, created_at) VALUES (@id, 'admin', @now)",
            new { id, now = clock.GetUtcNow().ToUnixTimeMilliseconds() },
            transaction));
        return id;
    }

    [LoggerMessage(1100, LogLevel.Information, "The admin API key is in {File}")]
    private static partial void Written(ILogger log, string file);
}
