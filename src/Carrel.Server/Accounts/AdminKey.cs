using Carrel.Server.Hosting;
using Carrel.Server.State;
using Dapper;

namespace Carrel.Server.Accounts;

/// <summary>Makes the first account, its operator and their key, which only the data folder's owner can read.</summary>
internal sealed partial class AdminKey(Database database, UserDirectory users, KeyRing keys, DataFolder folder, ILogger<AdminKey> log)
{
    public async Task EnsureAsync()
    {
        await users.LoadAsync();
        await keys.LoadAsync();
        var account = users.All.FirstOrDefault(user => user.IsOperator)?.Id
            ?? await database.ReadAsync(connection => connection.QueryFirstOrDefaultAsync<string>("SELECT id FROM accounts ORDER BY created_at"))
            ?? await users.CreateFirstAsync();

        // A crash between the two writes, or a lost file, leaves no usable key behind: make another, the old one does no harm.
        if (!File.Exists(folder.AdminKeyFile) || keys.Find((await File.ReadAllTextAsync(folder.AdminKeyFile)).Trim()) is null)
        {
            DataFolder.WriteSecret(folder.AdminKeyFile, await keys.CreateAsync(account, null, "admin"));
            Written(log, folder.AdminKeyFile);
        }
    }

    [LoggerMessage(1100, LogLevel.Information, "The admin API key is in {File}")]
    private static partial void Written(ILogger log, string file);
}
