using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Carrel.Server.Computers;

/// <summary>All computers, in memory, by every id they answer to. The hot path reads here and nowhere else.</summary>
internal sealed class ComputerRegistry
{
    private readonly ConcurrentDictionary<string, Computer> _byId = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Computer> _byInstance = new(StringComparer.OrdinalIgnoreCase);

    // Of the workspaces that were renamed while this server runs: a computer on its way in may still carry the old name.
    private readonly ConcurrentDictionary<string, string> _workspaceNames = new(StringComparer.Ordinal);

    public ICollection<Computer> All => _byId.Values;

    public void Add(Computer computer)
    {
        _byId[computer.Id] = computer;
        _byInstance[computer.State.Record.InstanceId] = computer;
        if (_workspaceNames.TryGetValue(computer.State.Record.WorkspaceId, out var name))
        {
            computer.Change(record => record with { WorkspaceName = name });
        }
    }

    /// <summary>Only within the write that renames it, so that nobody comes in between.</summary>
    public void RenameWorkspace(string workspaceId, string name)
    {
        _workspaceNames[workspaceId] = name;
        foreach (var computer in In(workspaceId))
        {
            computer.Change(record => record with { WorkspaceName = name });
        }
    }

    public void Remove(Computer computer)
    {
        _byId.TryRemove(computer.Id, out _);
        _byInstance.TryRemove(computer.State.Record.InstanceId, out _);
    }

    /// <summary>By UUID or instance id, either with an <c>orgo-</c> prefix (reference section 25.3).</summary>
    public Computer? Find(string id)
    {
        var bare = id.StartsWith("orgo-", StringComparison.OrdinalIgnoreCase) ? id[5..] : id;
        return bare.Length == 8 ? _byInstance.GetValueOrDefault(bare) : _byId.GetValueOrDefault(bare);
    }

    public IEnumerable<Computer> In(string workspaceId) =>
        _byId.Values.Where(computer => computer.State.Record.WorkspaceId == workspaceId).OrderBy(computer => computer.State.Record.CreatedAt);

    /// <summary>The running or suspended computer whose token or password this is.</summary>
    public Computer? FindBySecret(string secret) => _byId.Values.FirstOrDefault(computer => Opens(computer, secret));

    public static bool Opens(Computer computer, string secret)
    {
        if (computer.State.Status is not (ComputerStatus.Running or ComputerStatus.Suspended))
        {
            return false;
        }

        var presented = Encoding.UTF8.GetBytes(secret);
        var secrets = computer.State.Record.Secrets;
        return CryptographicOperations.FixedTimeEquals(presented, Encoding.UTF8.GetBytes(secrets.Token))
            | CryptographicOperations.FixedTimeEquals(presented, Encoding.UTF8.GetBytes(secrets.VncPassword));
    }
}
