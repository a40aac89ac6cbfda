namespace Carrel.Machines.Slots;

/// <summary>
/// Host-wide leases of slot numbers. A lease is a symbolic link whose text is the owner's installation: made and owned in
/// one atomic step, so a crash leaves no lease without an owner.
/// </summary>
internal sealed class SlotLeases(Folders folders)
{
    private readonly Lock _gate = new();
    private int _next;

    internal Slot Acquire()
    {
        Directory.CreateDirectory(folders.Slots);
        lock (_gate)
        {
            for (var tried = 0; tried < Slot.Count; tried++)
            {
                var number = _next;
                _next = (_next + 1) % Slot.Count;
                if (TryLease(number))
                {
                    return SlotOf(number);
                }
            }
        }

        throw new IOException($"all {Slot.Count} slots of this host are leased");
    }

    internal void Release(Slot slot) => File.Delete(Lease(slot.Number));

    internal Slot SlotOf(int number) => new(number, Path.Combine(folders.Slots, $"{number}"));

    /// <summary>Slots leased by this installation.</summary>
    internal IReadOnlyList<Slot> Mine() => !Directory.Exists(folders.Slots) ? [] :
    [
        .. new DirectoryInfo(folders.Slots).EnumerateFileSystemInfos("*.lease")
            .Where(lease => lease.LinkTarget == folders.Installation)
            .Select(lease => SlotOf(int.Parse(Path.GetFileNameWithoutExtension(lease.Name), System.Globalization.CultureInfo.InvariantCulture))),
    ];

    private bool TryLease(int number)
    {
        if (Exists(Lease(number)))
        {
            return false;
        }

        try
        {
            File.CreateSymbolicLink(Lease(number), folders.Installation);
            return true;
        }
        catch (IOException) when (Exists(Lease(number)))
        {
            return false;
        }
    }

    private string Lease(int number) => Path.Combine(folders.Slots, $"{number}.lease");

    private static bool Exists(string link) => new FileInfo(link).LinkTarget is not null;
}
