using Carrel.Machines.Native;

namespace Carrel.Machines.Slots;

/// <summary>
/// A place for one machine on this host: a uid range, a user namespace that maps it, and a connected network namespace
/// that belongs to that user namespace. Used by one machine, then thrown away: nothing of a guest (keyrings, sysctls,
/// conntrack) meets the next.
/// </summary>
/// <param name="Number">Leased host-wide, so that servers side by side never collide.</param>
/// <param name="Folder">Holds the namespaces as files <c>user</c> and <c>net</c>.</param>
internal sealed record Slot(int Number, string Folder)
{
    /// <summary>Uids and gids per slot.</summary>
    internal const uint RangeSize = 65_536;

    /// <summary>Above what systemd-nspawn (to 0x6fffffff) and common subuid tables use.</summary>
    private const uint FirstUid = 0x7000_0000;

    /// <summary>Slots that fit below the reserved uid -1.</summary>
    internal const int Count = (int)((uint.MaxValue - FirstUid) / RangeSize);

    /// <summary>Host uid of the machine's root.</summary>
    internal uint RootUid => FirstUid + (uint)Number * RangeSize;

    internal string UserNamespace => Path.Combine(Folder, "user");

    internal string NetworkNamespace => Path.Combine(Folder, "net");

    internal Fd OpenUserNamespace() => Fd.Open(UserNamespace, Fd.ReadOnly);
}
